/**
 * What every server of the bench does besides serving: it takes orders, makes the messages, and says how many
 * connections it has. How it serves is the business of the file that calls `serve`.
 */

import type { Server } from "node:http"
import type { AddressInfo } from "node:net"
import { documentOf } from "../document.js"
import type { Role, Who } from "../load/dialect.js"
import { ROOMS, roomsOf } from "../memberships.js"
import { SERVER, TEXT } from "../message.js"
import { takeOrders } from "../orders.js"

/** The room that everybody is in whose role is `all`, or `idle`. */
export const ALL = "all"

/** In so many rooms a collector is. */
const COLLECTED = 100_000

/** A server that has been started. */
export interface BenchServer {
  /** The port it listens on. */
  readonly port: number
  /** Sends a text message to everybody in a room. */
  publish(room: string, text: string): void
  /** How many connections it has. */
  connections(): number
}

/** What a server is asked for besides what its connections ask for. */
export interface ServerNeeds {
  /** Whether it should compress. */
  readonly isCompressed: boolean
}

/** The argument that makes a server compress. */
export const COMPRESSED = "compressed"

/** Starts a server and puts it at the command of the process that started this one. */
export async function serve(start: (needs: ServerNeeds) => Promise<BenchServer>): Promise<void> {
  await takeOrders(async () => {
    const server = await start({ isCompressed: process.argv.includes(COMPRESSED) })
    let serial = 0
    return {
      port: () => server.port,
      connections: () => server.connections(),
      publish(count: number) {
        for (const end = serial + count; serial < end; serial += 1) {
          server.publish(ALL, TEXT.make(SERVER, serial))
        }
      },
      publishDocuments(count: number) {
        for (const end = serial + count; serial < end; serial += 1) server.publish(ALL, documentOf(serial))
      },
      /** One message to each of the next rooms in turn. Each room is a publisher of its own. */
      publishToRooms(count: number) {
        for (const end = serial + count; serial < end; serial += 1) {
          const room = serial % ROOMS
          server.publish(roomName(room), TEXT.make(room, Math.floor(serial / ROOMS)))
        }
      },
    }
  })
}

/** Who connects, as the address says. */
export function whoIs(url: string): Who {
  const { pathname, searchParams } = new URL(url, "ws://bench")
  return {
    role: (searchParams.get("role") ?? pathname.slice(1)) as Role,
    client: Number(searchParams.get("client")),
    of: Number(searchParams.get("of")),
  }
}

/** The rooms that a connection should be in. */
export function roomsFor({ role, client, of }: Who): readonly string[] {
  if (role === "all" || role === "idle") return [ALL]
  if (role === "collector") return Array.from({ length: COLLECTED }, (_, room) => `other-${room}`)
  if (role !== "rooms") return []
  memberships ??= roomsOf(of)
  return (memberships[client] ?? []).map(roomName)
}

/** Listens on a free port of the loopback interface and returns it. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", 4_096, resolve)
  })
  return (server.address() as AddressInfo).port
}

let memberships: readonly (readonly number[])[] | undefined

function roomName(room: number): string {
  return `room-${room}`
}
