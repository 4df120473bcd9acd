import { createHub, text } from "holdfast"
import { expect, it } from "vitest"
import type { WebSocket } from "ws"
import { until } from "../../support/deadline.js"
import { connect, startServer } from "../../support/ws-server.js"

/** A socket that shows nothing of itself but what the `ws` package documents. */
function hidden(socket: WebSocket): WebSocket {
  return new Proxy(socket, {
    get(target, name) {
      if (typeof name === "string" && name.startsWith("_")) return undefined
      const value = Reflect.get(target, name)
      return typeof value === "function" && name !== "constructor" ? value.bind(target) : value
    },
  })
}

const LONG = "long enough to be compressed, ".repeat(100)

it.each([
  ["with its request, whose stream is written to", true],
  ["without, through its own send", false],
])(
  "a hub does the same over a ws socket whose private fields are out of reach: %s",
  async (_, hasRequest) => {
    const server = await startServer({ perMessageDeflate: true })
    const hub = createHub<string, string>({
      codec: text(),
      compression: "shared",
      maxBufferedBytes: 100_000,
      overflow: "drop-newest",
      onLag: ({ count }) => `lost ${count}`,
      heartbeat: { intervalMs: 50, timeoutMs: 5_000 },
      logger: false,
    })
    hub.on("message", ({ connection, data }) => connection.send(`${data} yourself`))
    server.wss.on("connection", (socket, request) => {
      const connection = hub.add(hidden(socket), hasRequest ? { request } : {})
      void connection.join("r")
      connection.send("welcome")
      hidden(socket).send("directly")
      hub.to("r").send(LONG)
    })
    const client = await connect(server.url)
    expect(await client.take(3)).toEqual(["welcome", "directly", LONG])
    client.send("hello")
    expect(await client.next()).toBe("hello yourself")
    const [connection] = hub.connections.values()
    await until(() => connection?.rttMs !== undefined, "a heartbeat")
    expect(connection?.bytesOut).toBeLessThan(hasRequest ? 200 : 4_000)
    expect(hub.framesDeflated).toBe(hasRequest ? 1 : 0)

    client.socket.pause()
    let lost = 0
    hub.on("lagged", ({ count }) => {
      lost += count
    })
    for (let i = 0; i < 2_000; i += 1) {
      connection?.send(`${i} ${Math.random()} `.padEnd(20_000, String(Math.random())))
      expect(connection?.bufferedBytes).toBeLessThanOrEqual(100_000)
      if (i % 4 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    client.socket.resume()
    await until(() => lost > 0, "the word of what was lost")
    await connection?.drained()
    await hub.close()
    expect((await client.closed()).code).toBe(1001)
    const received = await client.take(client.waiting)
    expect(received.filter((it) => !String(it).startsWith("lost")).length + lost).toBe(2_000)
    expect(received.find((it) => String(it).startsWith("lost"))).toBeDefined()
  },
  20_000,
)
