/**
 * Many small rooms: what does a message to ten members cost, when a hundred of them are sent at once?
 */

import { SERVERS, type ServerContender } from "../contenders.js"
import { cpuCell, repeatedly } from "../cpu.js"
import { type CrowdStage, openCrowd } from "../crowd-stage.js"
import { membersOf, ROOMS } from "../memberships.js"
import type { Row } from "../row.js"

/** A server with rooms, and which of them are next. */
interface RoomsStage extends CrowdStage {
  readonly members: readonly ReadonlySet<number>[]
  sent: number
}

const runIn = repeatedly(burst(100))

/** A thousand rooms of ten members each. */
export const rooms: Row<RoomsStage, ServerContender> = {
  name: "rooms",
  title: "1,000 rooms of 10 members",
  quantity: "CPU time of the server for each delivery",
  unit: "µs",
  contenders: [
    SERVERS.ws,
    SERVERS.wsAgain,
    SERVERS.socketIo,
    SERVERS.crossws,
    SERVERS.oneFrame,
    SERVERS.bun,
    SERVERS.holdfast,
  ],
  cells: [
    cpuCell({ name: "burst-100", title: "100 sends in one burst", rounds: 6, runIn, run: burst(100) }),
    cpuCell({ name: "paced", title: "1 send, then wait", rounds: 4, runIn, run: burst(1) }),
  ],
  async open(launcher) {
    const stage = await openCrowd(launcher, { role: "rooms" })
    return { ...stage, members: membersOf(launcher.clients), sent: 0 }
  },
}

/** The server sends one message to each of the next so many rooms, in one go. */
function burst(count: number): (stage: RoomsStage) => Promise<number> {
  return async (stage) => {
    const due = new Map<number, number>()
    let deliveries = 0
    for (let i = 0; i < count; i += 1) {
      const members = stage.members[(stage.sent + i) % ROOMS] ?? []
      for (const member of members) {
        due.set(member, (due.get(member) ?? 0) + 1)
        deliveries += 1
      }
    }
    stage.sent += count
    const received = stage.crowd.receive((client) => due.get(client) ?? 0)
    stage.server.tell("publishToRooms", count)
    await received
    return deliveries
  }
}
