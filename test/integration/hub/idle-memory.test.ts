import { connect, type Socket } from "node:net"
import { expect, it, onTestFinished } from "vitest"
import { startChild } from "../../support/child.js"
import type { Memory } from "../../support/idle-process.js"
import { upgradeRequest } from "../../support/server-raw.js"

const CONNECTIONS = 3_000
/** Those that come first pay for what all share. */
const FIRST = 300
const AT_ONCE = 100

/** A browser's headers: none of them may stay. */
const request = upgradeRequest({
  headers: {
    "User-Agent":
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140 Safari/537.36",
    "Accept-Language": "en-US,en;q=0.9",
    Cookie: `session=${"0123456789abcdef".repeat(8)}`,
  },
})

/** Bytes per connection of a server of this kind. */
async function measure(kind: "ws" | "hub"): Promise<Memory> {
  // room for young objects, of which an idle connection makes none, would drown everything else
  const child = startChild("./idle-process.ts", [kind], ["--max-semi-space-size=1"])
  const port = await child.next<number>()
  const sockets: Socket[] = []
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  const open = async () => {
    const socket = connect(port, "127.0.0.1")
    sockets.push(socket)
    socket.write(request)
    await new Promise((resolve, reject) => {
      socket.once("data", resolve)
      socket.once("error", reject)
    })
  }
  const grow = async (count: number): Promise<Memory> => {
    for (let i = 0; i < count; i += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, open))
    child.send({})
    return child.next<Memory>()
  }
  const before = await grow(FIRST)
  const after = await grow(CONNECTIONS)
  for (const socket of sockets) socket.destroy()
  return { rss: (after.rss - before.rss) / CONNECTIONS, heap: (after.heap - before.heap) / CONNECTIONS }
}

it("S63, P8: an idle connection of a hub, with a room and a heartbeat, takes little more memory than one of ws", async () => {
  const [ws, hub] = [await measure("ws"), await measure("hub")]
  expect(hub.rss).toBeLessThan(12_288)
  expect(hub.heap / ws.heap).toBeLessThan(1.6)
}, 60_000)
