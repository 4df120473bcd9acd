/**
 * A server as a process of its own that ends in good order on SIGTERM: says its last words, drains, closes what is its
 * own, and leaves the rest to Node, which ends the process only when nothing is left open.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createHub, text } from "holdfast"
import { attach } from "holdfast/server"

/** What every client is sent right before the drain. */
export const LAST_WORDS = Array.from({ length: 20 }, (_, i) => `last word ${i} ${"x".repeat(500)}`)

const server = createServer()
const hub = createHub<string, string>({ codec: text(), logger: false })
const attachment = attach(server, hub)
hub.on("message", ({ connection, data }) => connection.send(`${data}!`))

process.once("SIGTERM", async () => {
  for (const word of LAST_WORDS) hub.broadcast(word)
  const report = await attachment.drain({ windowMs: Number(process.env.WINDOW_MS) })
  await hub.close()
  attachment.close()
  server.close()
  process.send?.(report)
  process.disconnect?.()
})

server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port))
