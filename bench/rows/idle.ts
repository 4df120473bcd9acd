/**
 * Connections that do nothing: what does each keep in memory?
 */

import { SERVERS, type ServerContender } from "../contenders.js"
import { crowdOf } from "../crowd-stage.js"
import type { Program } from "../program.js"
import type { Launcher, Row, Stage } from "../row.js"

/** Nothing runs between rounds: memory that was used once is not given back, so each round takes a new process. */
interface IdleStage extends Stage {
  readonly launcher: Launcher<ServerContender>
}

/** As many as make little of what V8's young generation happens to take: with fewer, its two sizes are two results. */
const CONNECTIONS_FACTOR = 16
/** So many of the connections come first, for whatever a server makes once. */
const FIRST_SHARE = 0.1
const BYTES_PER_KILOBYTE = 1_000

/** Resident memory of an idle connection: ours in a room and with a heartbeat, as it comes. */
export const idle: Row<IdleStage, ServerContender> = {
  name: "idle",
  title: "Idle connections",
  quantity: "Resident memory of the server for each connection",
  unit: "kB",
  connections: (clients) => clients * CONNECTIONS_FACTOR,
  contenders: [SERVERS.ws, SERVERS.wsAgain, SERVERS.socketIo, SERVERS.crossws, SERVERS.bun, SERVERS.holdfast],
  cells: [
    {
      name: "memory",
      title: "idle",
      rounds: 2,
      isFresh: true,
      async round({ launcher }) {
        const server = await launcher.start([], ["--expose-gc"])
        const first = Math.ceil(launcher.clients * FIRST_SHARE)
        const few = await crowdOf(server, { ...launcher, clients: first }, { role: "idle" })
        const before = await settled(server)
        const many = await crowdOf(server, launcher, { role: "idle" })
        const after = await settled(server)
        few.close()
        many.close()
        await server.stop()
        return { count: launcher.clients, value: (after - before) / launcher.clients / BYTES_PER_KILOBYTE }
      },
    },
  ],
  open: async (launcher) => ({ launcher, close: async () => {} }),
}

/** Resident bytes, after the garbage of the handshakes is gone: a finalizer may leave some for a second time. */
async function settled(server: Program): Promise<number> {
  await server.usage(true)
  const { residentBytes } = await server.usage(true)
  return residentBytes
}
