/**
 * Connections that cost next to nothing on their side, in a process of their own: they answer pings, count what comes,
 * and notice when they are dropped.
 */

import { createConnection } from "node:net"
import { DIALECTS } from "../load/dialect.js"
import { RawClient } from "../load/raw-client.js"
import { takeOrders } from "../orders.js"

/** How many are opened at a time: a listening socket has a backlog. */
const AT_ONCE = 100

const clients = new Set<RawClient>()
const delays: number[] = []
let dropped = 0
let messages = 0
let isTiming = false

await takeOrders(async () => ({
  open,
  /** So many leave, those first who came first, and as many new ones come. */
  async churn({ port, count }: { port: number; count: number }) {
    for (const client of [...clients].slice(0, count)) {
      clients.delete(client)
      client.destroy()
    }
    return open({ port, count })
  },
  counts: () => ({ open: clients.size, dropped, messages }),
  closeAll() {
    for (const client of clients) client.destroy()
    clients.clear()
    return true
  },
  /** From now on the time that each message took is kept, in milliseconds. */
  time: () => {
    isTiming = true
    delays.length = 0
    return true
  },
  delays: () => delays,
  stall,
}))

async function open({ port, count }: { port: number; count: number }): Promise<number> {
  const dialect = DIALECTS.plain()
  for (let left = count; left > 0; left -= AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, left) }, async () => {
      const client = await RawClient.open(
        { port, target: "/idle?role=idle&client=0&of=1", dialect },
        { message: take, failed: () => drop(client) },
      )
      clients.add(client)
    })
    await Promise.all(some)
  }
  return clients.size
}

function drop(client: RawClient): void {
  if (clients.delete(client)) dropped += 1
}

function take(bytes: Buffer, start: number): void {
  messages += 1
  if (!isTiming) return
  const sentAt = Number.parseFloat(bytes.toString("latin1", start, start + 20))
  delays.push(performance.timeOrigin + performance.now() - sentAt)
}

/** One more connection, which reads its handshake and then nothing. */
async function stall(port: number): Promise<boolean> {
  const socket = createConnection(port, "127.0.0.1")
  socket.on("error", () => {})
  socket.write(
    `GET /idle HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: aG9sZGZhc3QtYmVuY2gtMQ==\r\n\r\n",
  )
  await new Promise((resolve) => socket.once("data", resolve))
  socket.pause()
  return true
}
