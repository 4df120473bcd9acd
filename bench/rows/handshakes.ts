/**
 * Connections that come and go: what does it cost to let one in, with its origin checked and a question to the
 * application where the server has both?
 */

import { SERVERS, type ServerContender } from "../contenders.js"
import type { CpuStage } from "../cpu.js"
import { crowdOf } from "../crowd-stage.js"
import type { Program } from "../program.js"
import type { Cell, Launcher, Row } from "../row.js"

/** A server without connections. */
interface HandshakeStage extends CpuStage {
  readonly server: Program
  readonly launcher: Launcher<ServerContender>
}

/**
 * So many crowds come and go before it counts: a server that runs for long has compiled what it does, and V8 compiles a small
 * function after some thousand calls only.
 */
const WARM_UP = 40
/** A crowd alone is over before the garbage that it makes is collected; so many in a round pay for theirs. */
const CROWDS = 5
const POLL_MS = 5
const DEADLINE_MS = 10_000

/** The upgrade of a connection, alone and with its end. */
export const handshakes: Row<HandshakeStage, ServerContender> = {
  name: "handshakes",
  title: "Handshakes",
  quantity: "CPU time of the server for each connection",
  unit: "µs",
  connections: (clients) => Math.ceil(clients * 0.4),
  contenders: [SERVERS.ws, SERVERS.wsAgain, SERVERS.socketIo, SERVERS.crossws, SERVERS.bun, SERVERS.holdfast],
  cells: [coming("open", "opened", false), coming("open-close", "opened and closed", true)],
  async open(launcher) {
    const server = await launcher.start()
    for (let i = 0; i < WARM_UP; i += 1) await come(server, launcher)
    return { server, program: server, launcher, close: () => server.stop() }
  },
}

function coming(name: string, title: string, isWithEnd: boolean): Cell<HandshakeStage> {
  return {
    name,
    title,
    rounds: 4,
    async round({ server, launcher }) {
      let count = 0
      let cost = 0
      for (let i = 0; i < CROWDS; i += 1) {
        const { size, opening, closing } = await come(server, launcher)
        count += size
        cost += isWithEnd ? opening + closing : opening
      }
      return { count, value: cost / count }
    },
  }
}

/** A crowd comes and goes. Returns what both took the server, in microseconds. */
async function come(server: Program, launcher: Launcher<ServerContender>) {
  const before = await server.usage()
  const crowd = await crowdOf(server, launcher, { role: "admitted" })
  const opened = await server.usage()
  crowd.close()
  await emptied(server)
  const closed = await server.usage()
  return {
    size: crowd.size,
    opening: opened.cpuMicros - before.cpuMicros,
    closing: closed.cpuMicros - opened.cpuMicros,
  }
}

/** Resolves when the server has noticed that everybody has gone. */
async function emptied(server: Program): Promise<void> {
  for (const end = performance.now() + DEADLINE_MS; performance.now() < end; ) {
    if ((await server.ask<number>("connections")) === 0) return
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  throw new Error(`connections are left after ${DEADLINE_MS} ms`)
}
