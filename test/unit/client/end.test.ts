import { type EndCause, StopReconnecting } from "holdfast"
import { describe, expect, it } from "vitest"
import { type FakeClientOptions, fakeClient, openClient } from "../../support/client-fake.js"
import type { FakeNetwork } from "../../support/client-network.js"

type Fake = ReturnType<typeof fakeClient<string, string>>

/** One way to end, the options it takes, and what makes it happen to a client that is open. */
interface Way {
  readonly cause: EndCause
  readonly options?: FakeClientOptions<string, string>
  readonly happen: (fake: Fake) => void
}

const cut = ({ network }: { network: FakeNetwork }) => network.last.cut()
const abort = new AbortController()

const WAYS: readonly Way[] = [
  { cause: "closed", happen: ({ client }) => void client.close() },
  { cause: "aborted", options: { signal: abort.signal }, happen: () => abort.abort(new Error("left")) },
  { cause: "close-code", happen: ({ network }) => network.last.end(1008, "no") },
  { cause: "auth", happen: ({ network }) => network.last.end(4401) },
  { cause: "max-retries", options: { maxRetries: 0 }, happen: cut },
  { cause: "stopped", options: { shouldReconnect: () => false }, happen: cut },
]

/** Everything a client can be asked to do. */
function tryEverything({ client, network }: Fake): void {
  client.connect()
  client.reconnect()
  client.pause()
  client.send("late")
  client.drainQueue()
  void client.close(4_000, "again")
  for (const socket of network.sockets) {
    for (const type of ["open", "message", "error", "close", "pong"]) {
      socket.emit(type, { code: 1000, reason: "", data: "late" })
    }
  }
}

describe("the end of a client", () => {
  it.each(WAYS)("C10 comes once, with cause $cause, and nothing comes after it", async (way) => {
    const fake = await openClient({ heartbeat: { intervalMs: 1_000 }, ...way.options })
    const { client, clock, network, log } = fake
    client.send("one")
    way.happen(fake)
    await clock.advance(1)
    expect(log.ends).toHaveLength(1)
    expect(log.ends[0]).toMatchObject({ cause: way.cause, queued: 0 })
    expect(client.state).toBe("closed")
    expect(log.states.at(-1)).toBe("closed")
    expect(clock.pending).toBe(0)
    const { count } = log
    tryEverything(fake)
    await clock.advance(3_600_000)
    expect(log.count).toBe(count)
    expect(network.sockets).toHaveLength(1)
    expect(clock.pending).toBe(0)
    await expect(client.closed).resolves.toBe(log.ends[0])
    await expect(client.opened).resolves.toBeUndefined()
  })

  it("C10 comes after the last state event, and both tell the same end", async () => {
    const { client, clock, log } = await openClient()
    const order: string[] = []
    client.on("state", ({ to }) => order.push(to))
    client.on("end", ({ cause }) => order.push(cause))
    await Promise.all([client.close(), clock.advance(1)])
    expect(order).toEqual(["closing", "closed", "closed"])
    expect(log.ends[0]?.lastClose).toEqual({ code: 1000, reason: "", wasOpen: true, error: undefined })
  })

  it("C10 tells how many messages were not sent, and gives them back", async () => {
    const { client, network, log } = fakeClient({ maxRetries: 0 })
    network.onDial = (socket) => socket.refuse()
    client.send("one")
    client.send("two")
    const end = await client.closed
    expect(end.queued).toBe(2)
    expect(end).toBe(log.ends[0])
    expect(client.drainQueue()).toEqual(["one", "two"])
    expect(client.queuedBytes).toBe(0)
  })

  it("C10 schedules nothing, even where onOpen never settles", async () => {
    const { client, clock, log } = await openClient({ onOpen: () => new Promise(() => {}) })
    await Promise.all([client.close(), clock.advance(1)])
    expect(log.ends).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it("C10 schedules nothing, even for a connection that was replaced and does not close", async () => {
    const { client, clock, network } = await openClient()
    network.last.blackHole()
    client.pause()
    await clock.advance(1)
    expect(clock.pending).toBe(1)
    void client.close()
    expect(client.state).toBe("closed")
    expect(clock.pending).toBe(0)
  })

  it("C10 of a client that never opened makes opened reject with what went wrong", async () => {
    const closed = fakeClient()
    const opened = closed.client.opened
    void closed.client.close()
    await expect(opened).rejects.toMatchObject({ code: "CONNECTION_LOST" })
    await expect(closed.client.opened).rejects.toMatchObject({ code: "CONNECTION_LOST" })

    const error = new StopReconnecting("no")
    const stopped = fakeClient({ url: () => Promise.reject(error) })
    await expect(stopped.client.opened).rejects.toBe(error)
  })

  it("C10 leaves no listener behind on the signal or on the sockets", async () => {
    const controller = new AbortController()
    let listeners = 0
    const signal = new Proxy(controller.signal, {
      get(target, name) {
        if (name === "addEventListener") listeners += 1
        if (name === "removeEventListener") listeners -= 1
        const value = Reflect.get(target, name, target)
        return typeof value === "function" ? value.bind(target) : value
      },
    })
    const { client, clock, network } = await openClient({ signal })
    expect(listeners).toBe(1)
    await Promise.all([client.close(), clock.advance(1)])
    expect(listeners).toBe(0)
    expect(network.last.listenerCount).toBe(0)
    expect(client.listenerCount("state")).toBe(0)
  })

  const error = new StopReconnecting("no more")
  const stop = () => {
    throw error
  }

  it.each<[string, FakeClientOptions<string, string>, (client: Fake["client"]) => unknown]>([
    ["a listener", {}, (client) => client.on("message", stop)],
    ["an async listener", {}, (client) => client.on("message", async () => stop())],
    ["a decoder", { codec: { encode: String, decode: stop } }, () => {}],
  ])("C7 StopReconnecting thrown by %s is final, with a proper close", async (_, options, prepare) => {
    const { client, clock, network, log } = await openClient(options)
    prepare(client)
    network.last.deliver("go")
    await clock.advance(60_000)
    expect(log.ends).toMatchObject([{ cause: "stopped", error }])
    expect(network.last.closes).toEqual([{ code: 1000, reason: "" }])
    expect([network.sockets.length, clock.pending]).toEqual([1, 0])
  })

  it("C7 StopReconnecting thrown by backoff.random, or on hearing of an attempt that failed, is final", async () => {
    for (const isRandom of [true, false]) {
      const { client, clock, network, log } = fakeClient(isRandom ? { backoff: { random: stop } } : {})
      network.onDial = (socket) => socket.refuse()
      if (!isRandom) client.on("state", ({ to }) => void (to === "waiting" && stop()))
      await clock.advance(60_000)
      expect(log.ends).toMatchObject([{ cause: "stopped", error }])
      expect([network.sockets.length, clock.pending]).toEqual([1, 0])
    }
  })

  it("C7 StopReconnecting thrown by onOpen is final, with a proper close", async () => {
    const error = new StopReconnecting("login refused")
    const { clock, network, log } = fakeClient({ onOpen: () => Promise.reject(error) })
    await clock.advance(60_000)
    expect(log.ends).toMatchObject([{ cause: "stopped", error }])
    expect(network.sockets).toHaveLength(1)
    expect(network.last.closes).toEqual([{ code: 1000, reason: "" }])
    expect(clock.pending).toBe(0)
  })

  it("C7 StopReconnecting thrown by onOpen is final, even when the connection was lost before", async () => {
    const error = new StopReconnecting("login refused")
    let refuse = (_: Error) => {}
    const { clock, network, log } = fakeClient({
      onOpen: () =>
        new Promise((_, reject) => {
          refuse = reject
        }),
    })
    await clock.advance(1)
    network.last.end(4_000)
    refuse(error)
    await clock.advance(60_000)
    expect(log.ends).toMatchObject([{ cause: "stopped", error }])
    expect(network.sockets).toHaveLength(1)
  })
})
