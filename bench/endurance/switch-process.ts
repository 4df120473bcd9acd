/**
 * A TCP switch as a load balancer is one: it asks every server whether it is ready, hands each new connection to the next
 * that is, and lets the bytes of a connection through until either side ends it.
 */

import { get } from "node:http"
import { type AddressInfo, createConnection, createServer } from "node:net"
import { takeOrders } from "../orders.js"

const EVERY_MS = 100

let ports: readonly number[] = []
let ready: readonly number[] = []
let turn = 0

const server = createServer((client) => {
  const port = ready[turn % ready.length]
  turn += 1
  client.on("error", () => {})
  if (port === undefined) return void client.destroy()
  const upstream = createConnection({ port, host: "127.0.0.1", noDelay: true })
  upstream.on("error", () => client.destroy())
  client.on("close", () => upstream.destroy())
  // an end in good order is passed on behind the bytes before it
  upstream.on("close", (hasFailed) => void (hasFailed && client.destroy()))
  client.pipe(upstream).pipe(client)
})

await takeOrders(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", 1_024, resolve))
  setInterval(check, EVERY_MS)
  return {
    port: () => (server.address() as AddressInfo).port,
    async use(servers: readonly number[]) {
      ports = servers
      await check()
      return ready
    },
  }
})

async function check(): Promise<void> {
  const asked = ports
  const answers = await Promise.all(asked.map(isReady))
  if (asked === ports) ready = asked.filter((_, i) => answers[i])
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      { port, host: "127.0.0.1", path: "/ready", timeout: 2_000, agent: false },
      (answer) => {
        answer.resume()
        resolve(answer.statusCode === 200)
      },
    )
    request.on("timeout", () => request.destroy())
    request.on("error", () => resolve(false))
  })
}
