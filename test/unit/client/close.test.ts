import { InvalidOptionError } from "holdfast"
import { describe, expect, it, vi } from "vitest"
import { fakeClient, openClient } from "../../support/client-fake.js"

type Fake = ReturnType<typeof fakeClient<string, string>>

/** A client in each state from which it can still be closed, or aborted. */
const STATES: Record<string, (signal?: AbortSignal) => Promise<Fake>> = {
  idle: async (signal) => fakeClient({ autoConnect: false, signal }),
  "connecting (url)": async (signal) => {
    const fake = fakeClient({ url: () => new Promise(() => {}), signal })
    await fake.clock.advance(1)
    return fake
  },
  "connecting (handshake)": async (signal) => {
    const fake = fakeClient({ signal })
    fake.network.onDial = () => {}
    await fake.clock.advance(1)
    return fake
  },
  "open (onOpen)": (signal) => openClient({ onOpen: () => new Promise(() => {}), signal }),
  open: (signal) => openClient({ signal }),
  "open (dead line)": async (signal) => {
    const fake = await openClient({ signal })
    fake.network.last.blackHole()
    return fake
  },
  waiting: async (signal) => {
    const fake = await openClient({ signal })
    fake.network.last.cut()
    return fake
  },
  paused: async (signal) => {
    const fake = await openClient({ signal })
    fake.client.pause()
    return fake
  },
}

describe.each(Object.keys(STATES))("a client that is %s", (name) => {
  const make = (signal?: AbortSignal) => (STATES[name] as (typeof STATES)[string])(signal)

  it("C32 closes once, within closeTimeoutMs", async () => {
    const { client, clock, log } = await make()
    expect(client.state).toBe(name.split(" ")[0])
    const closed = vi.fn()
    void client.close().then(closed)
    void client.close()
    await clock.advance(1_000)
    expect(closed).toHaveBeenCalledExactlyOnceWith(log.ends[0])
    expect(log.ends).toHaveLength(1)
    expect(log.ends[0]?.cause).toBe("closed")
    expect(log.states.filter((it) => it === "closed")).toHaveLength(1)
    await expect(client.close()).resolves.toBe(log.ends[0])
    expect(clock.pending).toBe(0)
  })

  it("C32 ends when its signal is aborted, with the reason", async () => {
    const controller = new AbortController()
    const reason = new Error("left the page")
    const { client, clock, network, log } = await make(controller.signal)
    const loop = client.iterate().next()
    loop.catch(() => {})
    const fates: string[] = []
    const sends = (["handoff", "fenced"] as const).map((until) => client.sendAsync("x", { until }))
    for (const sent of sends)
      sent.then(
        () => fates.push("done"),
        ({ code }) => fates.push(code),
      )
    controller.abort(reason)
    await clock.advance(1_000)
    expect(log.ends).toMatchObject([{ cause: "aborted", error: reason }])
    await expect(loop).rejects.toBe(reason)
    const isHanded = name === "open" || name === "open (dead line)"
    expect(fates).toEqual(isHanded ? ["done", "UNCONFIRMED"] : ["CONNECTION_LOST", "CONNECTION_LOST"])
    expect(network.live).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it("C32 is closed at the end of an `await using` block", async () => {
    const { client, clock, log } = await make()
    const disposed = client[Symbol.asyncDispose]()
    await clock.advance(1_000)
    await disposed
    expect(log.ends).toMatchObject([{ cause: "closed" }])
  })
})

describe("close()", () => {
  it("C32 sends the code and the reason, cut to 123 bytes", async () => {
    const { client, clock, network } = await openClient()
    void client.close(4_321, "ü".repeat(100))
    expect(network.last.closes).toEqual([{ code: 4_321, reason: "ü".repeat(61) }])
    await clock.advance(1)
    expect((await client.closed).lastClose).toMatchObject({ code: 4_321, wasOpen: true })
  })

  it.each([999, 1001, 1006, 2_999, 5_000, Number.NaN, 3_000.5, "1000", "3000"])(
    "C32 throws for the code %s, which no browser sends, and goes on",
    async (code) => {
      const { client } = await openClient()
      expect(() => client.close(code as number)).toThrow(InvalidOptionError)
      expect(client.state).toBe("open")
    },
  )

  it("C32 waits closeTimeoutMs for a peer that does not answer, and no longer", async () => {
    const { client, clock, network, log } = await openClient({ closeTimeoutMs: 200 })
    network.last.blackHole()
    void client.close()
    await clock.advance(199)
    expect(client.state).toBe("closing")
    await clock.advance(1)
    expect(client.state).toBe("closed")
    expect(log.ends[0]?.lastClose).toEqual({ code: 1006, reason: "", wasOpen: true, error: undefined })
  })

  it("C32 right after construction dials nothing", async () => {
    const { client, clock, network, log } = fakeClient()
    const closed = client.close()
    await clock.advance(60_000)
    await closed
    expect(network.sockets).toEqual([])
    expect(log.states).toEqual(["closed"])
  })

  it("C32 lets messages wait no more: they are dropped, as closed", async () => {
    const { client, clock, log } = await openClient()
    void client.close()
    expect(client.send("one")).toBe("dropped")
    expect(log.dropped).toEqual([{ message: "one", reason: "closed" }])
    await clock.advance(1)
    expect(client.send("two")).toBe("dropped")
  })

  it("C32 still hears what the server says until the end", async () => {
    const { client, clock, network, log } = await openClient()
    network.latencyMs = 10
    void client.close()
    network.last.readyState = 1
    network.last.deliver("goodbye")
    await clock.advance(10)
    expect(log.messages).toEqual(["goodbye"])
    expect(client.state).toBe("closed")
  })
})

describe("a signal", () => {
  it("C32 that was aborted before ends the client before it dials", async () => {
    const { clock, network, log } = fakeClient({ signal: AbortSignal.abort("why") })
    await clock.advance(60_000)
    expect(network.sockets).toEqual([])
    expect(log.states).toEqual(["closed"])
    expect(log.ends).toMatchObject([{ cause: "aborted", error: "why" }])
  })

  it("C32 that is aborted right after construction does too", async () => {
    const controller = new AbortController()
    const { clock, network, log } = fakeClient({ signal: controller.signal })
    controller.abort()
    await clock.advance(60_000)
    expect(network.sockets).toEqual([])
    expect(log.ends).toMatchObject([{ cause: "aborted" }])
  })

  it("C32 aborts what url was given, at once", async () => {
    const controller = new AbortController()
    let given: AbortSignal | undefined
    const { clock } = fakeClient({
      signal: controller.signal,
      url: ({ signal }) => {
        given = signal
        return new Promise(() => {})
      },
    })
    await clock.advance(1)
    expect(given?.aborted).toBe(false)
    controller.abort()
    expect(given?.aborted).toBe(true)
  })

  it("C32 closes an open connection with a handshake, within closeTimeoutMs", async () => {
    const controller = new AbortController()
    const { client, clock, network } = await openClient({ signal: controller.signal })
    controller.abort()
    expect(client.state).toBe("closing")
    expect(network.last.closes).toEqual([{ code: 1000, reason: "" }])
    await clock.advance(1)
    expect(client.state).toBe("closed")
  })
})
