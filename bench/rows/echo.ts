/**
 * Every message goes back to where it came from, as text and as JSON that is parsed and written again.
 */

import { SERVERS, type ServerContender } from "../contenders.js"
import { type CpuStage, cpuCell } from "../cpu.js"
import { crowdOf } from "../crowd-stage.js"
import type { Crowd } from "../load/crowd.js"
import { JSON_TEXT, TEXT } from "../message.js"
import type { Cell, Row } from "../row.js"

/** A server with two crowds. */
interface EchoStage extends CpuStage {
  readonly text: Crowd
  readonly json: Crowd
}

/** Each connection sends so many messages, each when the last one has come back. */
const EACH = 5

/** Echoes to two in five of the connections that are asked for. */
export const echo: Row<EchoStage, ServerContender> = {
  name: "echo",
  title: "Echo of 64 bytes",
  quantity: "CPU time of the server for each echo",
  unit: "µs",
  connections: (clients) => Math.ceil(clients * 0.4),
  contenders: [SERVERS.ws, SERVERS.wsAgain, SERVERS.socketIo, SERVERS.crossws, SERVERS.bun, SERVERS.holdfast],
  cells: [echoing("text", "text"), echoing("json", "JSON, parsed and written")],
  async open(launcher) {
    const server = await launcher.start()
    const text = await crowdOf(server, launcher, { role: "echo", format: TEXT })
    const json = await crowdOf(server, launcher, { role: "echo-json", format: JSON_TEXT })
    return {
      program: server,
      text,
      json,
      async close() {
        text.close()
        json.close()
        await server.stop()
      },
    }
  },
}

function echoing(name: "text" | "json", title: string): Cell<EchoStage> {
  return cpuCell({
    name,
    title,
    rounds: 8,
    async run(stage) {
      const crowd = stage[name]
      const received = crowd.receive(EACH)
      crowd.publish(crowd.size, EACH)
      await received
      return EACH * crowd.size
    },
  })
}
