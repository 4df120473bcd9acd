/**
 * One message to everybody: 64 bytes of text from the server to each of its connections.
 */

import { SERVERS, type ServerContender } from "../contenders.js"
import { cpuCell, repeatedly } from "../cpu.js"
import { type CrowdStage, openCrowd } from "../crowd-stage.js"
import type { Row } from "../row.js"

const runIn = repeatedly(burst(1))

/** Fan-out, in the four ways that messages come: alone, in bursts of two sizes, from several publishers at once. */
export const fanOut: Row<CrowdStage, ServerContender> = {
  name: "fan-out",
  title: "Fan-out of 64 bytes of text",
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
    cpuCell({ name: "paced", title: "1 message, then wait", rounds: 6, runIn, run: burst(1) }),
    cpuCell({ name: "burst-10", title: "10 in one burst", rounds: 4, runIn, run: burst(10) }),
    cpuCell({ name: "burst-100", title: "100 in one burst", rounds: 2, runIn, run: burst(100) }),
    cpuCell({
      name: "publishers-10",
      title: "10 publishers at once",
      rounds: 3,
      runIn,
      run: publishers(10, 5),
    }),
  ],
  open: (launcher) => openCrowd(launcher),
}

/** The server sends so many messages in one go. */
function burst(count: number): (stage: CrowdStage) => Promise<number> {
  return async ({ server, crowd }) => {
    const received = crowd.receive(count)
    server.tell("publish", count)
    await received
    return count * crowd.size
  }
}

/** So many of the connections send messages that the server passes on to everybody, one after the other each. */
function publishers(count: number, each: number): (stage: CrowdStage) => Promise<number> {
  return async ({ crowd }) => {
    const active = Math.min(count, crowd.size)
    const received = crowd.receive(active * each)
    crowd.publish(active, each)
    await received
    return active * each * crowd.size
  }
}
