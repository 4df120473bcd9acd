import { once } from "node:events"
import { describe, expect, it } from "vitest"
import { startProxy } from "../../support/client-proxy.js"
import { dial, echo, RestartingServer, startStalling } from "../../support/client-servers.js"
import { inTime, until } from "../../support/deadline.js"
import { startServer } from "../../support/ws-server.js"

const FAILURES = 2
const CONNECT_MS = 200

describe("C6 an attempt that nobody answers", () => {
  it("C6 ends where url() never settles, which is told so, and is asked again", async () => {
    const { url } = await startServer()
    const signals: AbortSignal[] = []
    const { client, log } = dial(
      ({ signal, attempt }) => {
        signals.push(signal)
        return attempt < FAILURES ? new Promise<string>(() => {}) : url
      },
      { connectTimeoutMs: CONNECT_MS },
    )
    await inTime(client.opened, "the open", 5_000)
    expect(log.errors.map(({ stage }) => stage)).toEqual(["connect", "connect"])
    expect(log.errors[0]).toMatchObject({ error: { code: "CONNECT_TIMEOUT" } })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, false])
    expect(signals[0]?.reason).toMatchObject({ code: "CONNECT_TIMEOUT" })
  })

  it.each([
    ["a TCP peer accepts and says nothing", "ws"],
    ["a wss: peer never speaks TLS", "wss"],
  ] as const)("C6 ends where %s, and is retried until it is healed", async (_, scheme) => {
    const server = await startStalling(FAILURES, scheme)
    const { client, log } = dial(server.url, {
      connectTimeoutMs: CONNECT_MS,
      node: { rejectUnauthorized: false },
    })
    await inTime(client.opened, "the open", 5_000)
    expect(log.errors.slice(0, FAILURES)).toMatchObject([
      { stage: "connect", error: { code: "CONNECT_TIMEOUT" } },
      { stage: "connect", error: { code: "CONNECT_TIMEOUT" } },
    ])
    await until(() => server.stalled.size === 0, "the sockets of the failed attempts to end")
    client.send("there?")
    await until(() => log.messages.length > 0, "the echo")
    expect(log.messages).toEqual(["there?"])
  })
})

describe("C12 a line that swallows everything", () => {
  const heartbeat = { intervalMs: 200, timeoutMs: 200 }

  it("C12 is noticed, and the next dial does not wait for the dead socket", async () => {
    const server = await startServer()
    const proxy = await startProxy(server.port)
    const { client, log } = dial(proxy.url, { heartbeat })
    const first = await server.accepted()
    await until(() => client.state === "open", "the first open")
    proxy.freeze()
    const second = await server.accepted()
    await until(() => client.state === "open", "the second open")
    expect(first.socket.readyState).toBe(first.socket.OPEN)
    expect(log.errors[0]).toMatchObject({ stage: "socket", error: { code: "CONNECTION_LOST" } })
    client.send("alive")
    expect(String((await inTime(once(second.socket, "message"), "the message"))[0])).toBe("alive")
  })

  it("C12 is dialled again until it heals, with what was sent meanwhile", async () => {
    const server = await startServer()
    echo(server.wss)
    const proxy = await startProxy(server.port)
    const { client, log } = dial(proxy.url, { heartbeat, connectTimeoutMs: CONNECT_MS })
    await inTime(client.opened, "the first open")
    proxy.blackHole()
    await until(() => log.errors.length >= 3, "the dead line, and two dials into the hole", 5_000)
    client.send("queued")
    proxy.heal()
    await until(() => log.messages.includes("queued"), "the echo")
    expect(log.errors.slice(0, 3)).toMatchObject([
      { stage: "socket", error: { code: "CONNECTION_LOST" } },
      { stage: "connect", error: { code: "CONNECT_TIMEOUT" } },
      { stage: "connect", error: { code: "CONNECT_TIMEOUT" } },
    ])
  })

  it("C12 is not seen in a server that answers pings, which go out after each interval of silence", async () => {
    const server = await RestartingServer.start()
    const { client, log } = dial(server.url, { heartbeat: { intervalMs: 20, timeoutMs: 60_000 } })
    await until(() => log.pongs.length >= 5, "five pongs")
    expect([client.state, log.errors]).toEqual(["open", []])
  })
})
