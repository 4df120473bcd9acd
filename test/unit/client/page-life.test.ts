import { json, ReconnectingClient } from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { isLoopback } from "../../../src/client/page-life.js"
import { fakeClient, openClient } from "../../support/client-fake.js"
import { FakeNetwork, type FrameSocket } from "../../support/client-network.js"
import { FakePage } from "../../support/fake-page.js"

/** An open client with a slow heartbeat, whose server answers literal pings. */
const openPage = () =>
  openClient<unknown, unknown>({
    codec: json(),
    heartbeat: { intervalMs: 600_000, timeoutMs: 300_000 },
    answersLiteral: true,
  })

/** A client that waits: its one connection was cut, and every dial after it fails. */
async function waitingPage(random = 0.5) {
  const fake = await openClient({ backoff: { initialMs: 30_000, random: () => random } })
  fake.network.onDial = (socket) => socket.end(1006)
  fake.network.last.cut()
  return { ...fake, dials: () => fake.network.sockets.length - 1 }
}

const WAKE_UPS: readonly (readonly [string, (page: FakePage) => void])[] = [
  ["visible", (page) => page.show(true)],
  ["resume", (page) => page.resume()],
  ["pageshow", (page) => page.pageshow(false)],
  ["online", (page) => page.goOnline(true)],
]

describe("C13 an open connection when its page wakes up", () => {
  it.each([...WAKE_UPS, ["offline", (page: FakePage) => page.goOnline(false)] as const])(
    "C13 is probed on %s, and kept when it answers",
    async (_, wake) => {
      const page = new FakePage()
      const { clock, client, network } = await openPage()
      const pings = () => network.last.received.filter((it) => it === "ping").length
      await clock.advance(1)
      expect(pings()).toBe(1)
      wake(page)
      await clock.advance(1)
      expect(pings()).toBe(2)
      await clock.advance(60_000)
      expect([client.state, network.sockets.length]).toEqual(["open", 1])
    },
  )

  it("C13 is given up 5 s after the probe when nothing comes in", async () => {
    const page = new FakePage()
    const { clock, client, network, log } = await openPage()
    await clock.advance(1_000)
    network.last.blackHole()
    page.show(true)
    await clock.advance(4_999)
    expect(client.state).toBe("open")
    await clock.advance(1)
    expect(client.state).toBe("waiting")
    expect(log.errors).toMatchObject([
      { stage: "socket", error: { code: "CONNECTION_LOST", message: "no answer to a ping within 5000 ms" } },
    ])
  })

  it("C13 is kept when anything comes in, pong or not", async () => {
    const page = new FakePage()
    const { clock, client, network } = await openPage()
    await clock.advance(1_000)
    network.last.answersLiteral = false
    page.show(true)
    await clock.advance(4_000)
    network.last.deliver('"news"')
    await clock.advance(60_000)
    expect(client.state).toBe("open")
  })

  it("C13 is probed once more when the page slept while the answer was on its way", async () => {
    const page = new FakePage()
    const { clock, client, network } = await openPage()
    await clock.advance(1_000)
    network.last.answersLiteral = false
    page.show(true)
    clock.stall(120_000)
    network.last.answersLiteral = true
    await clock.advance(1_000)
    expect([client.state, network.sockets.length]).toEqual(["open", 1])
    await clock.advance(60_000)
    expect(client.state).toBe("open")
  })

  it("C13 is not given up while nothing is read from it", async () => {
    const page = new FakePage()
    const { clock, client, network } = await openClient({
      make: "frames",
      heartbeat: { intervalMs: 600_000 },
    })
    await clock.advance(20_000) // the first ping and its answer are long over
    const reader = client.iterate({ maxMessages: 1 })
    network.last.deliver("1")
    expect((network.last as FrameSocket).isPaused).toBe(true)
    network.last.isDeaf = true // what the far end sends lies unread
    await clock.advance(1)
    page.show(true)
    await clock.advance(10_000)
    network.last.isDeaf = false
    expect(await reader.next()).toEqual({ value: "1", done: false })
    await clock.advance(60_000)
    expect([client.state, network.sockets.length]).toEqual(["open", 1])
  })

  it("C13 is left alone when the page is hidden, when nobody wants pings, or when pings are not answered", async () => {
    const page = new FakePage()
    const answering = await openPage()
    page.show(false)
    expect(answering.network.last.received).toEqual(["ping"])
    const without = await openClient({ codec: json() as never })
    const deaf = await openClient({ codec: json() as never, heartbeat: { intervalMs: 600_000 } })
    await deaf.clock.advance(1_000)
    page.show(true)
    expect(without.network.last.received).toEqual([])
    expect(deaf.network.last.received).toEqual(["ping"])
    await deaf.clock.advance(10_000)
    expect([without.client.state, deaf.client.state]).toEqual(["open", "open"])
  })

  it("C13 is left alone with pageEvents: false", async () => {
    const page = new FakePage()
    const { network, client, clock } = await openClient({ pageEvents: false, codec: json() as never })
    expect(page.listenerCount).toBe(0)
    page.pageshow(true)
    network.last.cut()
    page.show(true)
    await clock.advance(1_049)
    expect([client.state, network.sockets.length]).toEqual(["waiting", 1])
  })
})

/** A clock on a machine that sleeps: the date goes on meanwhile, and timers do not. */
class SleepyClock extends VirtualClock {
  #sleptMs = 0

  override date(): number {
    return super.date() + this.#sleptMs
  }

  sleep(ms: number): void {
    this.#sleptMs += ms
  }
}

describe("C15 a client that waits when its page wakes up", () => {
  it.each([-3_600_000, -1, 20_000, 3_600_000])(
    "C15 dials within 1 s although the date has moved by %i ms, and no timer with it",
    async (ms) => {
      const page = new FakePage()
      const clock = new SleepyClock()
      const { network, client } = await openClient({
        clock,
        backoff: { initialMs: 30_000, random: () => 0.9 },
      })
      network.last.cut()
      expect(client.state).toBe("waiting")
      clock.sleep(ms)
      page.goOnline(true)
      expect(client.retryAt).toBe(clock.date() + 900)
      await clock.advance(899)
      page.show(true)
      expect(network.sockets).toHaveLength(1)
      await clock.advance(1)
      expect([client.state, network.sockets.length]).toEqual(["open", 2])
    },
  )

  it.each(WAKE_UPS)("C15 dials within 1 s on %s, at a moment of its own", async (_, wake) => {
    const page = new FakePage()
    const { clock, client, dials } = await waitingPage()
    expect(client.retryAt).toBe(clock.date() + 15_050)
    wake(page)
    expect(client.retryAt).toBe(clock.date() + 500)
    await clock.advance(499)
    expect(dials()).toBe(0)
    await clock.advance(1)
    expect(dials()).toBe(1)
  })

  it("C15 does not put off a dial that is due sooner", async () => {
    const page = new FakePage()
    const { clock, dials } = await waitingPage(0.5)
    await clock.advance(14_900)
    page.show(true)
    await clock.advance(150)
    expect(dials()).toBe(1)
  })

  it("C15 dials within 1 s when the connection turns out to be lost right after the page woke up", async () => {
    const page = new FakePage()
    const { clock, client, network } = await openClient({ backoff: { initialMs: 30_000, random: () => 0.5 } })
    await clock.advance(1_000)
    page.resume()
    await clock.advance(6_000)
    network.last.end(1006)
    expect((client.retryAt ?? 0) - clock.date()).toBe(500)
    network.onDial = (socket) => socket.end(1006)
    await clock.advance(500)
    // an attempt that fails after that backs off as usual
    expect((client.retryAt ?? 0) - clock.date()).toBeGreaterThan(15_000)
    network.onDial = (socket) => socket.accept()
    await clock.advance(60_000)
    network.last.end(1006)
    expect((client.retryAt ?? 0) - clock.date()).toBeGreaterThan(15_000)
  })

  it("C15 keeps a wait that the server asked for, or the application", async () => {
    const page = new FakePage()
    const asked = await openClient()
    asked.network.last.end(1013, '{"retryAfterMs":60000}')
    const later = await openClient()
    later.network.last.end(1012)
    const own = await openClient({ shouldReconnect: () => ({ delayMs: 10_000 }) })
    own.network.last.cut()
    page.show(true)
    page.goOnline(true)
    const waits = [asked, later, own].map(({ client, clock }) => (client.retryAt ?? 0) - clock.date())
    expect(waits).toEqual([60_000, 17_500, 10_000])
  })

  it("C15 stays away when it is paused, idle or closed", async () => {
    const page = new FakePage()
    const paused = await openClient()
    paused.client.pause()
    const idle = fakeClient({ autoConnect: false })
    const closed = await openClient()
    void closed.client.close()
    for (const [, wake] of WAKE_UPS) wake(page)
    page.pageshow(true)
    for (const { clock } of [paused, idle, closed]) await clock.advance(10_000)
    expect([paused, idle, closed].map(({ network }) => network.sockets.length)).toEqual([1, 0, 1])
  })

  it("C15 has one live socket after 100 rapid toggles", async () => {
    const page = new FakePage()
    const { clock, client, network } = await openPage()
    network.latencyMs = 30
    network.last.cut()
    for (let toggle = 0; toggle < 100; toggle += 1) {
      page.show(toggle % 2 === 1)
      page.goOnline(toggle % 3 > 0)
      page.resume()
      await clock.advance(toggle % 7 === 0 ? 100 : 1)
    }
    page.show(true)
    await clock.advance(10_000)
    expect([client.state, network.live.length, network.mostLive]).toEqual(["open", 1, 1])
  })
})

describe("C16 a page out of the back/forward cache", () => {
  it("C16 is connected within 2 s, whether its old socket reports an end or never does", async () => {
    for (const reportsEnd of [true, false]) {
      const page = new FakePage()
      const { clock, client, network } = await openPage()
      network.last.blackHole()
      page.pageshow(true)
      if (reportsEnd) network.sockets[0]?.end(1006)
      await clock.advance(2_000)
      expect([client.state, network.sockets.length, network.live.length]).toEqual(["open", 2, 1])
    }
  })

  it("C16 gives up an attempt that it was frozen in", async () => {
    const page = new FakePage()
    const { clock, client, network } = fakeClient()
    network.onDial = () => {}
    await clock.advance(1)
    network.onDial = (socket) => socket.accept()
    page.pageshow(true)
    await clock.advance(1)
    expect([client.state, network.sockets.length]).toEqual(["open", 2])
  })

  it("C16 leaves no listener behind: 1,000 clients, 0 listeners", async () => {
    const page = new FakePage()
    const clock = new VirtualClock()
    const network = new FakeNetwork(clock)
    const options = { clock, WebSocket: network.WebSocket, logger: false, heartbeat: false } as const
    const clients = Array.from({ length: 1_000 }, () => new ReconnectingClient("ws://far.example/", options))
    await clock.advance(1)
    expect(page.listenerCount).toBe(5_000)
    for (const client of clients) void client.close()
    await clock.advance(2_000)
    expect(clients.every(({ state }) => state === "closed")).toBe(true)
    expect(page.listenerCount).toBe(0)
  })

  it("C16 does without a page: Node, a worker", async () => {
    const { client, network } = await openClient({ make: "frames", heartbeat: {} })
    expect(client.state).toBe("open")
    expect((network.last as FrameSocket).pings).toEqual(["1"])
  })
})

describe("C17 a platform that says it is offline", () => {
  /** How long a client waits after its first attempt has failed. */
  async function waitAfterFailure(url: string, isOnline: boolean): Promise<number> {
    const page = new FakePage()
    page.goOnline(isOnline)
    const { clock, client, network } = fakeClient({ url })
    network.onDial = (socket) => socket.end(1006)
    await clock.advance(1)
    expect(network.sockets).toHaveLength(1)
    return (client.retryAt ?? 0) - clock.date() + 1
  }

  it("C17 tries once all the same, and then every 30 s", async () => {
    expect(await waitAfterFailure("wss://far.example/", true)).toBe(1_050)
    expect(await waitAfterFailure("wss://far.example/", false)).toBe(30_000)
    const { clock, network } = fakeClient({ url: "wss://far.example/" })
    network.onDial = (socket) => socket.end(1006)
    await clock.advance(0)
    for (let tries = 2; tries < 10; tries += 1) {
      await clock.advance(29_999)
      expect(network.sockets).toHaveLength(tries - 1)
      await clock.advance(1)
      expect(network.sockets).toHaveLength(tries)
    }
  })

  it("C17 does not concern targets on this machine", async () => {
    expect(await waitAfterFailure("ws://127.0.0.1:8080/", false)).toBe(1_050)
  })

  it("C17 does not concern a connection that was lost: the platform may be wrong", async () => {
    const page = new FakePage()
    const { clock, client, network } = await openClient()
    page.goOnline(false)
    network.last.cut()
    expect((client.retryAt ?? 0) - clock.date()).toBe(1_050)
  })

  it("C17 dials within 1 s when the network is said to be back", async () => {
    const page = new FakePage()
    page.goOnline(false)
    const { clock, client, network } = fakeClient()
    network.onDial = (socket) => socket.end(1006)
    await clock.advance(1)
    network.onDial = (socket) => socket.accept()
    await clock.advance(5_000)
    expect(client.state).toBe("waiting")
    page.goOnline(true)
    await clock.advance(1_000)
    expect(client.state).toBe("open")
  })

  it.each([
    ["ws://localhost", true],
    ["ws://localhost:8080/a", true],
    ["ws://LOCALHOST/", true],
    ["wss://app.localhost/ws", true],
    ["ws://user:pass@localhost/", true],
    ["ws://127.0.0.1:1", true],
    ["ws://127.8.9.1?x", true],
    ["ws://[::1]:80/", true],
    ["ws://localhost.example/", false],
    ["ws://mylocalhost/", false],
    ["ws://127.example/", false],
    ["ws://10.0.0.1/127.0.0.1", false],
    ["wss://far.example/?to=ws://localhost/", false],
    ["wss://localhost@far.example/", false],
    ["/ws", false],
  ])("C17 knows what is on this machine: %s %s", (address, expected) => {
    expect(isLoopback(address)).toBe(expected)
  })
})
