/**
 * A room among others: does a message to its members cost more when there are many other connections, and many other
 * rooms?
 */

import { SERVERS, type ServerContender } from "../contenders.js"
import { cpuCell, repeatedly } from "../cpu.js"
import { type CrowdStage, crowdOf, openCrowd } from "../crowd-stage.js"
import type { Crowd } from "../load/crowd.js"
import type { Role } from "../load/dialect.js"
import type { Cell, Launcher, Row } from "../row.js"

/** A server with one room in use, and with whatever has been put beside it so far. */
interface BystanderStage extends CrowdStage {
  readonly launcher: Launcher<ServerContender>
  readonly others: Map<Role, Crowd>
}

/** Of the connections that are asked for, so many are in the room; so many times as many are in none. */
const MEMBER_SHARE = 0.2
const OTHERS = 4

const runIn = repeatedly(send)

/** One room, first alone, then among connections, then among rooms as well. */
export const bystanders: Row<BystanderStage, ServerContender> = {
  name: "bystanders",
  title: "A room among others",
  quantity: "CPU time of the server for each delivery",
  unit: "µs",
  connections: (clients) => Math.ceil(clients * MEMBER_SHARE),
  contenders: [SERVERS.ws, SERVERS.wsAgain, SERVERS.socketIo, SERVERS.crossws, SERVERS.bun, SERVERS.holdfast],
  // in this order: what comes is there for good
  cells: [
    sending("alone", "alone"),
    sending("connections", "beside 20 times as many connections", "admitted"),
    sending("rooms", "and beside 100,000 rooms", "collector"),
  ],
  async open(launcher) {
    const stage = await openCrowd(launcher)
    const others = new Map<Role, Crowd>()
    return {
      ...stage,
      launcher,
      others,
      async close() {
        for (const crowd of others.values()) crowd.close()
        await stage.close()
      },
    }
  },
}

function sending(name: string, title: string, beside?: "admitted" | "collector"): Cell<BystanderStage> {
  return cpuCell<BystanderStage>({
    name,
    title,
    rounds: 6,
    async runIn(stage) {
      if (beside) await put(stage, beside)
      await runIn(stage)
    },
    run: send,
  })
}

async function put(stage: BystanderStage, role: "admitted" | "collector"): Promise<void> {
  if (stage.others.has(role)) return
  const { server, launcher } = stage
  const size = role === "collector" ? 1 : (launcher.clients / MEMBER_SHARE) * OTHERS
  stage.others.set(role, await crowdOf(server, launcher, { role, size }))
}

async function send({ server, crowd }: CrowdStage): Promise<number> {
  const received = crowd.receive(1)
  server.tell("publish", 1)
  await received
  return crowd.size
}
