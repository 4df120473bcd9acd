/**
 * Small messages over one connection of a client, both ways: what does the wrapper cost on top of the socket it wraps?
 */

import { type CpuStage, cpuCell } from "../cpu.js"
import { RawServer } from "../load/raw-server.js"
import type { Format } from "../message.js"
import type { Cell, Contender, Row } from "../row.js"
import { sourceOf } from "../row.js"
import { versionOf } from "../version.js"

/** A client, and the server it is connected to, which is this process. */
interface ClientStage extends CpuStage {
  readonly server: RawServer
}

const RECEIVED = 20_000
const SENT = 5_000

/** A client library beside the bare socket. */
export const client: Row<ClientStage> = {
  name: "client",
  title: "One client, messages of 64 bytes",
  quantity: "CPU time of the client for each message",
  unit: "µs",
  connections: () => 1,
  contenders: [
    contender("ws", "bare ws"),
    { ...contender("ws", "bare ws once more (control)"), name: "ws-again", isControl: true },
    rival("reconnecting-websocket"),
    rival("partysocket"),
    { ...contender("holdfast", "holdfast"), isOurs: true },
  ],
  cells: [
    receiving("text", "text received"),
    sending("text", "text sent"),
    receiving("json", "JSON received"),
    sending("json", "JSON sent"),
  ],
  async open({ start }) {
    const server = await RawServer.listen()
    const program = await start()
    for (const format of ["text", "json"] as const) {
      await program.ask("connect", { url: server.urlOf(format), format })
    }
    return {
      program,
      server,
      async close() {
        server.close()
        await program.stop()
      },
    }
  },
}

function contender(name: string, title: string): Contender {
  return { name, title, source: sourceOf(`clients/${name}`) }
}

function rival(name: string): Contender {
  return { ...contender(name, name), version: versionOf(name) }
}

function receiving(format: Format["name"], title: string): Cell<ClientStage> {
  return cpuCell({
    name: `receive-${format}`,
    title,
    rounds: 8,
    async run({ program, server }) {
      const received = program.ask("receive", { format, count: RECEIVED })
      server.peer(format).push(RECEIVED)
      await received
      return RECEIVED
    },
  })
}

function sending(format: Format["name"], title: string): Cell<ClientStage> {
  return cpuCell({
    name: `send-${format}`,
    title,
    rounds: 8,
    async run({ program, server }) {
      await Promise.all([server.peer(format).receive(SENT), program.ask("send", { format, count: SENT })])
      return SENT
    },
  })
}
