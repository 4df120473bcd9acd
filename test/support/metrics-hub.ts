/**
 * A hub on a real server that something has happened to: every instrument has something to tell.
 */

import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { createHub, type Hub, text } from "holdfast"
import { attach } from "holdfast/server"
import { onTestFinished } from "vitest"
import { inTime, until } from "./deadline.js"
import { RecordingAdapter } from "./recording-adapter.js"
import { refusedBy } from "./server-refusal.js"
import { connect } from "./ws-server.js"

/** Three clients connect, two stay, four messages come in, nine go out, and one upgrade is refused. */
export async function startMeasured(makeListener: (hub: Hub<string, string>) => RequestListener) {
  const adapter = new RecordingAdapter()
  const hub = createHub<string, string>({
    codec: text(),
    logger: false,
    adapter,
    heartbeat: { intervalMs: 20, timeoutMs: 10_000 },
  })
  const server = createServer(makeListener(hub))
  attach(server, hub, { path: "/ws" })
  await inTime(new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)), "the server to listen")
  onTestFinished(async () => {
    await hub.close()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const url = `ws://127.0.0.1:${port}/ws`
  hub.on("connection", ({ connection }) => connection.join("lobby"))
  hub.on("message", () => new Promise((resolve) => setTimeout(resolve, 1)))
  const clients = [await connect(url), await connect(url), await connect(url)] as const
  for (const message of ["one", "two", "three", "four"]) clients[0].send(message)
  for (const message of ["a", "b"]) hub.to("lobby").send(message)
  for (const client of clients) await client.take(2)
  await clients[2].close(4321)
  await until(() => hub.size === 2, "the third client to leave")
  hub.broadcast("c")
  hub.send([...hub.connections.keys()][0] as string, "d")
  for (const client of clients.slice(0, 2)) await client.next()
  await refusedBy(url, { origin: "https://evil.example" })
  adapter.context.onGap({ channels: "all", reason: "lost", count: 7 })
  await until(() => hub.stats().handlerMs.count === 4, "the messages to be handled")
  await until(() => hub.stats().pingMs.count > 0, "a ping to be answered")
  return { hub, adapter, url: `http://127.0.0.1:${port}` }
}
