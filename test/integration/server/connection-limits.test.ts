import { VirtualClock } from "holdfast/testing"
import { RateLimiterMemory } from "rate-limiter-flexible"
import { describe, expect, it, vi } from "vitest"
import { inTime, until } from "../../support/deadline.js"
import { Mailbox } from "../../support/mailbox.js"
import { startAttached } from "../../support/server-attached.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"
import { refusedBy } from "../../support/server-refusal.js"
import { connect } from "../../support/ws-server.js"

const from = (address: string) => ({ headers: { "X-Forwarded-For": address } })
const proxied = { trustedProxies: ["127.0.0.0/8"] }

describe("S43: a limit that is reached", () => {
  it("is a 503 that says when to come back, before authenticate is asked, until somebody leaves", async () => {
    const authenticate = vi.fn(() => undefined)
    const { url, hub, refused } = await startAttached({ limits: { connections: 2 }, authenticate })
    const clients = [await connect(url), await connect(url)]
    const answer = await refusedBy(url)
    expect(answer).toMatchObject({ status: 503, body: "Service Unavailable" })
    expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(5)
    expect(await refused.next()).toMatchObject({ check: "limits", reason: "connections" })
    expect(authenticate).toHaveBeenCalledTimes(2)
    await clients[0]?.close()
    await until(() => hub.size === 1, "the place to be free")
    await connect(url)
    expect(hub.size).toBe(2)
  })

  it("counts those that authenticate still decides about, and gives their places back", async () => {
    const asked = new Mailbox<(admission: { status: number } | undefined) => void>("question")
    const authenticate = () => new Promise<{ status: number } | undefined>((resolve) => asked.put(resolve))
    const { url } = await startAttached({ limits: { connections: 1 }, authenticate })
    const first = refusedBy(url)
    const refuseFirst = await asked.next()
    expect(await refusedBy(url)).toMatchObject({ status: 503 })
    refuseFirst({ status: 401 })
    expect(await first).toMatchObject({ status: 401 })
    const second = connect(url)
    const letIn = await asked.next()
    letIn(undefined)
    await second
  })

  it("gives back the places of those who go meanwhile, and of those who cannot be added", async () => {
    const asked = new Mailbox<() => void>("question")
    let userId = ""
    const server = await startAttached({
      limits: { connections: 1, perAddress: 1, perUser: 1 },
      authenticate: () =>
        userId === "gone" ? new Promise<undefined>(() => asked.put(() => {})) : { userId },
    })
    const open = async () => {
      const raw = await RawClient.open(server)
      raw.socket.write(upgradeRequest())
      return raw
    }
    // no user can be called that, which shows only once the hub is asked
    await (await open()).ended()
    userId = "gone"
    const leaver = await open()
    await asked.next()
    leaver.socket.resetAndDestroy()
    await server.idle()
    userId = "ann"
    expect(await (await open()).status()).toBe(101)
  })

  it("is a 429 for the address that has its share, as the trusted proxy names it", async () => {
    const { url, refused, added } = await startAttached({ ...proxied, limits: { perAddress: 1 } })
    await connect(url, from("203.0.113.1"))
    expect((await added.next()).remoteAddress).toBe("203.0.113.1")
    expect(await refusedBy(url, from("9.9.9.9, 203.0.113.1"))).toMatchObject({ status: 429 })
    expect(await refused.next()).toMatchObject({ reason: "perAddress", remoteAddress: "203.0.113.1" })
    await connect(url, from("203.0.113.2"))
  })

  it("believes no header of a client that comes without a proxy", async () => {
    const { url, added } = await startAttached({ limits: { perAddress: 1 }, trustedProxies: ["10.0.0.0/8"] })
    await connect(url, from("203.0.113.1"))
    expect((await added.next()).remoteAddress).toBe("127.0.0.1")
    expect(await refusedBy(url, from("203.0.113.2"))).toMatchObject({ status: 429 })
  })

  it("is a 429 for the user who has his share, on this attachment", async () => {
    const { url, refused } = await startAttached({
      limits: { perUser: 2 },
      authenticate: (request) => ({ userId: String(request.headers["x-user"]) }),
    })
    const as = (user: string) => ({ headers: { "X-User": user } })
    const first = await connect(url, as("ann"))
    await connect(url, as("ann"))
    const answer = await refusedBy(url, as("ann"))
    expect(answer.status).toBe(429)
    expect(Number(answer.headers["retry-after"])).toBeGreaterThanOrEqual(5)
    expect(await refused.next()).toMatchObject({ check: "limits", reason: "perUser" })
    await connect(url, as("bob"))
    await first.close()
    await connect(url, as("ann"))
  })

  it("is a 503 for upgrades that come too fast, and none for those that come later", async () => {
    const clock = new VirtualClock()
    const limits = { upgradesPerSecond: 10, upgradeBurst: 2 }
    const { url, refused } = await startAttached({ limits, clock })
    await connect(url)
    await connect(url)
    expect(await refusedBy(url)).toMatchObject({ status: 503 })
    expect(await refused.next()).toMatchObject({ check: "limits", reason: "upgradesPerSecond" })
    await clock.advance(100)
    await connect(url)
  })
})

describe("S43: a limit that nodes share", () => {
  it("is asked with the address, and refuses on every node: rate-limiter-flexible", async () => {
    const sharedLimiter = new RateLimiterMemory({ points: 2, duration: 60 })
    const authenticate = vi.fn(() => undefined)
    const nodes = [
      await startAttached({ ...proxied, limits: { sharedLimiter }, authenticate }),
      await startAttached({ ...proxied, limits: { sharedLimiter }, authenticate }),
    ] as const
    await connect(nodes[0].url, from("203.0.113.1"))
    await connect(nodes[1].url, from("203.0.113.1"))
    const answer = await refusedBy(nodes[0].url, from("203.0.113.1"))
    expect(answer.status).toBe(429)
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(50)
    expect(await nodes[0].refused.next()).toMatchObject({ check: "limits", reason: "sharedLimiter" })
    await connect(nodes[0].url, from("203.0.113.2"))
    expect(authenticate).toHaveBeenCalledTimes(3)
  })

  it("lets in whom it cannot be asked about, and tells", async () => {
    const error = new Error("ECONNREFUSED")
    const sharedLimiter = { consume: () => Promise.reject(error) }
    const { url, errors } = await startAttached({ limits: { sharedLimiter } })
    await connect(url)
    expect(await errors.next()).toEqual({ error, stage: "limits" })
  })

  it("lets in whom it keeps waiting for a second", async () => {
    const clock = new VirtualClock()
    const asked = new Mailbox<string>("question")
    const sharedLimiter = { consume: (key: string) => new Promise(() => asked.put(key)) }
    const { url, errors, hub } = await startAttached({ limits: { sharedLimiter }, clock })
    const client = connect(url)
    expect(await asked.next()).toBe("127.0.0.1")
    await clock.advance(999)
    expect(hub.size).toBe(0)
    await clock.advance(1)
    await client
    expect(await errors.next()).toMatchObject({ stage: "limits" })
    expect(clock.pending).toBe(0)
  })

  it("lets nobody in when the attachment was closed meanwhile", async () => {
    const asked = new Mailbox<() => void>("question")
    const sharedLimiter = { consume: () => new Promise<void>((resolve) => asked.put(resolve)) }
    const { url, attachment, hub } = await startAttached({ limits: { sharedLimiter } })
    const answer = refusedBy(url)
    const answerLate = await asked.next()
    attachment.close()
    answerLate()
    expect(await answer).toMatchObject({ status: 503 })
    expect(hub.size).toBe(0)
  })
})

describe("S44: a client that sends too fast", () => {
  async function startLimited() {
    const limits = { messagesPerSecond: 100, messageBurst: 200 }
    const server = await startAttached({ limits })
    const client = await connect(server.url)
    const connection = await server.added.next()
    const heard: string[] = []
    connection.on("message", ({ data }) => void heard.push(data))
    return { ...server, client, connection, heard }
  }

  it("is slowed down by TCP, and every message of it arrives", async () => {
    const { client, connection, heard } = await startLimited()
    for (let i = 0; i < 300; i += 1) client.send(`message ${i}`)
    await until(() => connection.isReadingPaused, "reading to pause")
    client.send("last")
    await until(() => heard.at(-1) === "last", "the last message", 10_000)
    expect(heard.slice(0, -1)).toEqual(Array.from({ length: 300 }, (_, i) => `message ${i}`))
  })

  it("and goes on is closed with 1008, and its neighbour notices nothing", async () => {
    const clock = new VirtualClock()
    const limits = { messagesPerSecond: 10, messageBurst: 40 }
    const server = await startAttached({ limits }, { hub: { clock } })
    const flooder = await connect(server.url)
    const flooding = await server.added.next()
    const neighbour = await connect(server.url)
    server.hub.on("message", () => {})
    const send = (count: number) => {
      for (let i = 0; i < count; i += 1) flooder.send("x")
    }
    send(100)
    // more always waits than a step lets through, and no step is long enough for half a burst to come back
    for (let step = 0; flooding.state === "open"; step += 1) {
      expect(step).toBeLessThan(60)
      await until(() => flooding.isReadingPaused || flooding.state !== "open", "reading to pause")
      send(10)
      await clock.advance(500)
    }
    // its half of the closing handshake stands behind what is not read any more
    await clock.advance(5_000)
    expect(await flooder.closed()).toEqual({ code: 1008, reason: "messages are sent too fast" })
    expect(await inTime(flooding.closed, "the close")).toMatchObject({ cause: "rate-limit" })
    server.hub.broadcast("still here")
    await clock.advance(0)
    expect(await neighbour.next()).toBe("still here")
  })

  it("has 5,000 messages a second by default, and 20,000 at once", async () => {
    const { url, added } = await startAttached({}, { hub: { clock: new VirtualClock() } })
    const client = await connect(url)
    const connection = await added.next()
    connection.on("message", () => {})
    for (let i = 0; i < 20_000; i += 1) client.send("x")
    await until(() => connection.messagesIn === 20_000, "20,000 messages", 10_000)
    expect(connection.isReadingPaused).toBe(false)
    // large bursts are counted to a sixteenth
    for (let i = 0; i <= 1_250; i += 1) client.send("x")
    await until(() => connection.isReadingPaused, "reading to pause")
  })

  it("may send at any rate where the limits are off", async () => {
    const limits = { messagesPerSecond: false, bytesPerSecond: false } as const
    const { url, added } = await startAttached({ limits }, { hub: { clock: new VirtualClock() } })
    const client = await connect(url)
    const connection = await added.next()
    connection.on("message", () => {})
    for (let i = 0; i < 30_000; i += 1) client.send("x")
    await until(() => connection.messagesIn === 30_000, "30,000 messages", 10_000)
    expect(connection.isReadingPaused).toBe(false)
  })
})

describe("S53: upgrades", () => {
  it("are counted by what became of them", async () => {
    const asked = new Mailbox<() => void>("question")
    const server = await startAttached({
      path: ["/", "/ws/:room"],
      limits: { connections: 1 },
      authenticate: (request) =>
        request.url === "/ws/refused"
          ? { status: 401 }
          : request.url === "/ws/gone"
            ? new Promise<undefined>(() => asked.put(() => {}))
            : undefined,
    })
    const { url, hub, attachment } = server
    const raw = async (parts: Parameters<typeof upgradeRequest>[0]) => {
      const client = await RawClient.open(server)
      client.socket.write(upgradeRequest(parts))
      return client
    }
    await refusedBy(`${url}/ws/refused`)
    await refusedBy(`${url}/unknown`)
    await refusedBy(`${url}/ws/%zz`)
    await refusedBy(url, { origin: "https://evil.example" })
    await (await raw({ method: "POST" })).ended()
    const leaver = await raw({ target: "/ws/gone" })
    await asked.next()
    leaver.socket.resetAndDestroy()
    await server.idle()
    await connect(url)
    await refusedBy(url)
    await attachment.drain({ windowMs: 0 })
    await refusedBy(url)
    expect(hub.stats().upgrades).toEqual({
      accepted: 1,
      authenticate: 1,
      path: 2,
      origin: 1,
      request: 1,
      gone: 1,
      limits: 1,
      closing: 1,
    })
  })
})
