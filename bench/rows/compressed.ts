/**
 * One document to everybody, compressed: about a kilobyte of JSON from the server to each of its connections.
 */

import { SERVERS, type ServerContender } from "../contenders.js"
import { cpuCell, repeatedly } from "../cpu.js"
import { type CrowdStage, openCrowd } from "../crowd-stage.js"
import { DocumentLog } from "../load/document-check.js"
import type { Row } from "../row.js"

const runIn = repeatedly(burst(1))

/** Fan-out with permessage-deflate, offered by the clients as browsers do. */
export const compressed: Row<CrowdStage, ServerContender> = {
  name: "compressed",
  title: "Fan-out of 1 KiB of JSON, compressed",
  quantity: "CPU time of the server, all its threads, for each delivery",
  unit: "µs",
  contenders: [SERVERS.ws, SERVERS.wsAgain, SERVERS.bun, SERVERS.holdfast],
  cells: [
    cpuCell({ name: "paced", title: "1 message, then wait", rounds: 4, runIn, run: burst(1) }),
    cpuCell({ name: "burst-10", title: "10 in one burst", rounds: 2, runIn, run: burst(10) }),
  ],
  open(launcher) {
    const log = new DocumentLog()
    return openCrowd(launcher, { isCompressed: true, check: () => log.check() })
  },
}

function burst(count: number): (stage: CrowdStage) => Promise<number> {
  return async ({ server, crowd }) => {
    const received = crowd.receive(count)
    server.tell("publishDocuments", count)
    await received
    return count * crowd.size
  }
}
