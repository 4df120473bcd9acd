/**
 * One message to everybody: 64 bytes of text from the server to each of its connections.
 */

import { SERVERS, type ServerContender } from "../contenders.js"
import { cpuCell } from "../cpu.js"
import { type CrowdStage, openCrowd } from "../crowd-stage.js"
import type { Row } from "../row.js"

/**
 * After a pause of a fifth of a second Linux acknowledges the next sixteen segments of a connection at once, at the
 * sender's expense: a third more for each write. Whoever writes less would be in that state for longer.
 */
const RUN_IN_MESSAGES = 20

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

async function runIn(stage: CrowdStage): Promise<void> {
  for (let i = 0; i < RUN_IN_MESSAGES; i += 1) await burst(1)(stage)
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
