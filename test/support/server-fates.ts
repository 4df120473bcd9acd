/**
 * A server whose paths say what becomes of an upgrade, for clients that leave at any point on the way. It runs in a
 * test or in a process of its own (see server-fates-process.ts), so it imports no test runner.
 */

import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { setImmediate as turn } from "node:timers/promises"
import { createHub, type Hub, text } from "holdfast"
import { type Admission, attach } from "holdfast/server"

/** What a path can mean: held until the client goes, refused in either way, let in, or unknown to everybody. */
export const FATES = ["held", "refused", "closed", "accepted", "no/where"] as const

/** What a client reads as soon as `authenticate` holds its upgrade; no final answer, so it may still be let in. */
export const HELD = "HTTP/1.1 100 Continue\r\n\r\n"

/** What is left of the clients. */
export interface Remains {
  readonly sockets: number
  readonly connections: number
  /** Questions to `authenticate` that have no answer. */
  readonly undecided: number
  /** How many clients met each fate, those included who did not stay to see it. */
  readonly fates: Readonly<Record<string, number>>
  /** Errors that the attachment told. */
  readonly errors: readonly string[]
}

/** A running server. */
export interface FateServer {
  readonly server: Server
  readonly hub: Hub<string, string>
  readonly url: string
  readonly port: number
  remains(): Promise<Remains>
}

/** Starts the server on a free port. */
export async function startFates(): Promise<FateServer> {
  const server = createServer()
  const hub = createHub<string, string>({ codec: text(), heartbeat: false, logger: false })
  const fates: Record<string, number> = {}
  const errors: string[] = []
  let undecided = 0
  hub.on("connection", ({ connection }) => {
    void connection.join("all")
    hub.to("all").send("x".repeat(500))
  })
  const attachment = attach(server, hub, {
    path: "/:fate",
    async authenticate({ socket }, { params, signal }): Promise<Admission> {
      const fate = params.fate as string
      fates[fate] = (fates[fate] ?? 0) + 1
      undecided += 1
      if (fate === "held") {
        socket.write(HELD)
        await new Promise((resolve) => signal.addEventListener("abort", resolve))
      } else await turn()
      undecided -= 1
      if (fate === "refused") return { status: 401, body: "x".repeat(200_000) }
      return fate === "closed" ? { status: 401, closeCode: 4401 } : {}
    },
  })
  attachment.on("error", ({ error }) => errors.push(String(error)))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    server,
    hub,
    port,
    url: `ws://127.0.0.1:${port}`,
    remains: () =>
      new Promise((resolve, reject) =>
        server.getConnections((error, sockets) => {
          if (error) reject(error)
          else resolve({ sockets, connections: hub.size, undecided, fates, errors })
        }),
      ),
  }
}
