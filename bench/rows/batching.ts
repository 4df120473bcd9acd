/**
 * Small messages from the server to each of its connections, so many in one turn of the event loop: what do batches save?
 */

import { SERVERS, type ServerContender } from "../contenders.js"
import { cpuCell, repeatedly } from "../cpu.js"
import { type CrowdStage, openCrowd } from "../crowd-stage.js"
import type { Cell, Row } from "../row.js"
import { sourceOf } from "../row.js"

const runIn = repeatedly((stage: CrowdStage) => publish(stage, 1))

/** Frames, bytes and time, to a fifth of the connections that are asked for. */
export const batching: Row<CrowdStage, ServerContender> = {
  name: "batching",
  title: "Messages of 64 bytes in batches",
  quantity: "CPU time of the server for each delivery, with the frames and bytes that it took",
  unit: "µs",
  connections: (clients) => Math.ceil(clients / 5),
  contenders: [
    SERVERS.ws,
    SERVERS.wsAgain,
    { ...SERVERS.holdfast, name: "one-by-one", title: "holdfast, one by one", isOurs: false },
    {
      name: "holdfast",
      title: "holdfast, batch()",
      source: sourceOf("servers/batches"),
      dialect: "lines",
      isOurs: true,
    },
  ],
  cells: [
    atOnce(1, "1 message a tick"),
    atOnce(10, "10 messages a tick"),
    atOnce(100, "100 messages a tick"),
  ],
  open: (launcher) => openCrowd(launcher),
}

function atOnce(count: number, title: string): Cell<CrowdStage> {
  const timed = cpuCell<CrowdStage>({
    name: `tick-${count}`,
    title,
    rounds: 3,
    runIn,
    run: (stage) => publish(stage, count),
  })
  return {
    ...timed,
    async round(stage, ms) {
      const round = await timed.round(stage, ms)
      const before = stage.crowd.traffic
      await publish(stage, count)
      const after = stage.crowd.traffic
      const messages = after.messages - before.messages
      return {
        ...round,
        extra: {
          frames: (after.frames - before.frames) / messages,
          bytes: (after.bytes - before.bytes) / messages,
        },
      }
    },
    detail: (_cost, { frames = 0, bytes = 0 }) => `${frames.toFixed(2)} frames, ${bytes.toFixed(1)} B`,
  }
}

async function publish({ server, crowd }: CrowdStage, count: number): Promise<number> {
  const received = crowd.receive(count)
  server.tell("publish", count)
  await received
  return count * crowd.size
}
