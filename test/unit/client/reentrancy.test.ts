import type { Codec } from "holdfast"
import { describe, expect, it } from "vitest"
import { type FakeClientOptions, fakeClient, openClient } from "../../support/client-fake.js"
import type { DialledSocket } from "../../support/client-network.js"

/** Runs something inside the socket's own `send`, before it takes the message; once. */
function onceInSend(socket: DialledSocket, act: () => void): void {
  const send = socket.send.bind(socket)
  socket.send = (data) => {
    socket.send = send
    act()
    socket.send(data)
  }
}

/** Runs something whenever the socket is asked how much it holds; not within itself. */
function inBufferedAmount(socket: DialledSocket, act: () => void): void {
  let isInside = false
  Object.defineProperty(socket, "bufferedAmount", {
    get() {
      if (!isInside) {
        isInside = true
        act()
        isInside = false
      }
      return 0
    },
  })
}

/** What became of a promise: `open`, `done`, or the code of its error. */
function fateOf(promise: Promise<unknown>): { readonly now: string } {
  const fate = { now: "open" }
  promise.then(
    () => {
      fate.now = "done"
    },
    ({ code }: { code: string }) => {
      fate.now = code
    },
  )
  return fate
}

type Fake = ReturnType<typeof fakeClient<string, string>>

const idle = { autoConnect: false, queue: { maxMessages: 2, overflow: "drop-oldest" } } as const

describe("a socket that calls back while it takes a message", () => {
  /** A queue of two, and a socket within whose `send` of the first one something happens. */
  async function flush(
    act: (fake: Fake, socket: DialledSocket) => void,
    options: FakeClientOptions<string, string> = {},
  ) {
    const fake = fakeClient({ ...idle, ...options })
    const { client, clock, network } = fake
    client.send("1", { key: "one" })
    client.send("2")
    network.onDial = (socket) => {
      if (network.sockets.length === 1) onceInSend(socket, () => act(fake, socket))
      socket.accept()
    }
    client.connect()
    await clock.advance(1)
    return fake
  }

  it("C21 keeps what it is sending, when a full queue makes room by dropping the oldest", async () => {
    const { network, log } = await flush(({ client }) => {
      for (const message of ["3", "4", "5"]) client.send(message)
    })
    expect(network.received).toEqual(["1", "4", "5"])
    expect(log.dropped.map(({ message }) => message)).toEqual(["2", "3"])
  })

  it("C21 keeps what it is sending, when the queue is emptied", async () => {
    let drained: string[] = []
    const { network, client } = await flush((fake) => {
      drained = fake.client.drainQueue()
    })
    expect(drained).toEqual(["2"])
    expect(network.received).toEqual(["1"])
    expect(client.queued).toBe(0)
  })

  it("C22 sends both where a newer message of the same key comes too late to replace it", async () => {
    const { network, log } = await flush(({ client }) => client.send("new", { key: "one" }))
    expect(network.received).toEqual(["1", "2", "new"])
    expect(log.dropped).toEqual([])
  })

  it("C24 has a message back in its place that it refuses in the end, whatever was sent meanwhile", async () => {
    const { client, clock, network, log } = await flush(({ client }, socket) => {
      client.send("3")
      socket.failingSends = 1
    })
    expect(client.queuedBytes).toBe(3)
    await clock.advance(1_050)
    expect(network.sockets.map(({ received }) => received)).toEqual([[], ["1", "2", "3"]])
    expect(log.dropped).toEqual([])
  })

  it("C22 has a message that it refuses replaced or aborted like one that waits", async () => {
    const abort = new AbortController()
    const first = await flush(({ client }, socket) => {
      client.send("new", { key: "one" })
      socket.failingSends = 1
    })
    expect(first.client.drainQueue()).toEqual(["2", "new"])
    expect(first.log.dropped).toEqual([{ message: "1", reason: "replaced" }])
    const second = fakeClient({ ...idle })
    second.client.send("1", { signal: abort.signal })
    second.network.onDial = (socket) => {
      onceInSend(socket, () => {
        abort.abort()
        socket.failingSends = 1
      })
      socket.accept()
    }
    second.client.connect()
    await second.clock.advance(1)
    expect(second.client.drainQueue()).toEqual([])
    expect(second.log.dropped).toEqual([{ message: "1", reason: "aborted" }])
  })

  it("C23 settles what waits when the client is closed within, and the socket throws", async () => {
    const { client, clock, network } = fakeClient(idle)
    const fate = fateOf(client.sendAsync("1"))
    network.onDial = (socket) => {
      onceInSend(socket, () => {
        void client.close()
        socket.failingSends = 1
      })
      socket.accept()
    }
    client.connect()
    await clock.advance(2_000)
    expect(fate.now).toBe("CONNECTION_LOST")
    expect(client.drainQueue()).toEqual(["1"])
    expect(clock.pending).toBe(0)
  })

  it.each(["end", "pause", "reconnect"] as const)(
    "C23 tells of a message within which the connection ends: %s",
    async (way) => {
      const { client, clock, network } = await openClient()
      const counts: number[] = []
      client.on("unconfirmed", ({ count }) => counts.push(count))
      const { last } = network
      onceInSend(last, () => (way === "end" ? last.end(1011) : client[way]()))
      expect(client.send("lost")).toBe("sent")
      await clock.advance(2_000)
      expect([network.received, counts]).toEqual([[], [1]])
    },
  )

  it.each([
    ["the peer's answer comes later", false],
    ["the socket ends at once", true],
  ])(
    "C23 tells of a message within which the client is closed, which no answer proves: %s",
    async (_, isQuick) => {
      const { client, clock, network } = await openClient({ make: "frames" })
      const counts: number[] = []
      client.on("unconfirmed", ({ count }) => counts.push(count))
      client.send("read")
      const { last } = network
      await clock.advance(1)
      onceInSend(last, () => {
        void client.close()
        if (isQuick) last.end(1000)
      })
      const fate = fateOf(client.sendAsync("lost", { until: "fenced" }))
      await clock.advance(2_000)
      expect(network.received).toEqual(["read"])
      expect([counts, fate.now, client.queued]).toEqual([[1], "UNCONFIRMED", 0])
    },
  )

  it("C23 does not take the answer to a ping that was sent within for a proof", async () => {
    const { client, clock, network } = await openClient({ make: "frames" })
    const { last } = network
    const counts: number[] = []
    client.on("unconfirmed", ({ count }) => counts.push(count))
    onceInSend(last, () => void client.probe())
    client.send("after the ping")
    await clock.advance(1)
    last.cut()
    await clock.advance(1)
    expect(counts).toEqual([1])
  })

  it("C21 keeps the order of the calls on an open connection too", async () => {
    const { client, clock, network } = await openClient()
    onceInSend(network.last, () => expect(client.send("2")).toBe("queued"))
    expect(client.send("1")).toBe("sent")
    await clock.advance(1)
    expect(network.received).toEqual(["1", "2"])
  })
})

describe("a socket that calls back when it is asked how much it holds", () => {
  it("C21 neither loses nor repeats nor reorders what waits", async () => {
    const { client, clock, network, log } = fakeClient({ ...idle, queue: { ...idle.queue, maxMessages: 3 } })
    for (const message of ["1", "2", "3"]) client.send(message)
    let serial = 3
    network.onDial = (socket) => {
      inBufferedAmount(socket, () => {
        if (serial > 7) return
        serial += 1
        client.send(String(serial))
      })
      socket.accept()
    }
    client.connect()
    await clock.advance(100)
    const numbers = network.received.map(Number)
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
    const told = [...numbers, ...log.dropped.map(({ message }) => Number(message))].sort((a, b) => a - b)
    expect(told).toEqual(Array.from({ length: serial }, (_, i) => i + 1))
    expect(serial).toBeGreaterThan(3)
    expect(client.queued).toBe(0)
  })

  it("C23 does not take a message for sent when the client is closed or paused within", async () => {
    for (const way of ["close", "pause"] as const) {
      const { client, clock, network } = await openClient()
      inBufferedAmount(network.last, () => void client[way]())
      const fate = fateOf(client.sendAsync("late"))
      await clock.advance(2_000)
      expect(network.received).toEqual([])
      expect(fate.now).toBe(way === "close" ? "CONNECTION_LOST" : "open")
      expect(client.queued).toBe(way === "close" ? 0 : 1)
    }
  })
})

describe("whoever hears that a message was dropped", () => {
  it.each([
    ["drop-oldest", {}],
    ["reject", { key: "k" }],
  ] as const)("C21 may send, behind the message that came in its place: %s", (overflow, options) => {
    const { client } = fakeClient({ autoConnect: false, queue: { maxMessages: 2, overflow } })
    client.send("1", options)
    client.send("2")
    client.once("dropped", () => client.send("4"))
    client.send("3", options)
    expect(client.drainQueue()).toEqual(overflow === "reject" ? ["2", "3"] : ["3", "4"])
  })

  it("C23 may close the client, and the message that came in its place is not waited for in vain", async () => {
    const { client, clock, log } = fakeClient({
      autoConnect: false,
      queue: { ...idle.queue, maxMessages: 1 },
    })
    client.on("dropped", () => void client.close())
    client.send("1")
    const fate = fateOf(client.sendAsync("2"))
    await clock.advance(1)
    expect(fate.now).toBe("CONNECTION_LOST")
    expect(log.ends).toMatchObject([{ cause: "closed", queued: 1 }])
    expect(client.drainQueue()).toEqual(["2"])
  })
})

describe("whoever hears that the client is open", () => {
  it.each(["pause", "reconnect", "close"] as const)(
    "C4 may %s it, and opened has resolved all the same",
    async (way) => {
      for (const isAsked of ["before", "within"]) {
        const { client, clock, network } = fakeClient({ autoConnect: false })
        network.onDial = (socket) => {
          // one that ends within its own close()
          socket.close = () => socket.end(1000)
          if (network.sockets.length === 1) socket.accept()
        }
        const fates: { readonly now: string }[] = []
        if (isAsked === "before") fates.push(fateOf(client.opened))
        client.on("state", ({ to }) => {
          if (to !== "open") return
          if (isAsked === "within") fates.push(fateOf(client.opened))
          void client[way]()
        })
        client.connect()
        await clock.advance(1)
        expect(fates).toEqual([{ now: "done" }])
        void client.close()
      }
    },
  )
})

describe("a codec that calls back", () => {
  it("C23 may close the client while it encodes, and nobody waits in vain", async () => {
    const codec: Codec<string, string> = {
      encode(message) {
        void client.close()
        return message
      },
      decode: String,
    }
    const { client, clock } = fakeClient({ codec, autoConnect: false })
    const fate = fateOf(client.sendAsync("1"))
    await clock.advance(1)
    expect(fate.now).toBe("CONNECTION_LOST")
    expect(client.queued).toBe(0)
  })

  it("C34 may fail to make a reader: a failed attempt, told and retried", async () => {
    let readers = 0
    const codec: Codec<string, string> = {
      encode: (message) => message,
      decode: String,
      reader() {
        readers += 1
        if (readers === 1) throw new Error("no memory for a reader")
        return { read: (data, take) => take(String(data)), end: () => {} }
      },
    }
    const { client, clock, network, log } = fakeClient({ codec })
    await clock.advance(1_050)
    expect(log.errors).toMatchObject([{ stage: "open", error: { message: "no memory for a reader" } }])
    network.last.deliver("hello")
    expect(log.messages).toEqual(["hello"])
    expect([client.state, network.sockets.length]).toEqual(["open", 2])
  })
})

describe("an attempt's own signal that calls back", () => {
  /** A client that connects, and does something when the attempt is given up. */
  async function connecting(act: (client: Fake["client"]) => void) {
    const fake = fakeClient({
      url: ({ signal }) => {
        signal.addEventListener("abort", () => act(fake.client), { once: true })
        return new Promise(() => {})
      },
    })
    await fake.clock.advance(1)
    return fake
  }

  it("C33 closes a client that is being paused, for good", async () => {
    const { client, clock, log } = await connecting((it) => void it.close())
    client.pause()
    client.connect()
    await clock.advance(60_000)
    expect(log.states).toEqual(["connecting", "closed"])
    expect(log.ends).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it("C33 pauses a client that is being paused, once", async () => {
    const { client, log } = await connecting((it) => it.pause())
    client.pause()
    expect(log.states).toEqual(["connecting", "paused"])
  })

  it("C10 dials no more from a client that is being closed", async () => {
    const { client, clock, network, log } = fakeClient({
      url: ({ signal, attempt }) => {
        if (attempt === 0) signal.addEventListener("abort", () => client.connect(), { once: true })
        return "ws://far.example/"
      },
    })
    await clock.advance(1)
    network.last.blackHole()
    client.pause()
    void client.close()
    await clock.advance(60_000)
    expect(log.states).toEqual(["connecting", "open", "paused", "closed"])
    expect([network.sockets.length, clock.pending]).toEqual([1, 0])
  })
})

describe("a constructor of sockets that calls back", () => {
  it.each(["close", "pause", "reconnect"] as const)("C30 leaves no socket behind: %s()", async (way) => {
    const { client, clock, network } = fakeClient({ autoConnect: false, make: "frames" })
    let isFirst = true
    const { sockets } = network
    const push = sockets.push.bind(sockets)
    sockets.push = (...more) => {
      const count = push(...more)
      if (isFirst) {
        isFirst = false
        if (way === "reconnect") {
          client.pause()
          client.connect()
        } else void client[way]()
      }
      return count
    }
    client.connect()
    await clock.advance(2_000)
    expect(network.sockets[0]?.readyState).toBe(3)
    expect(network.sockets[0]?.listenerCount).toBe(0)
    expect(network.live).toHaveLength(way === "reconnect" ? 1 : 0)
    expect(clock.pending).toBe(way === "reconnect" ? 1 : 0)
  })
})

describe("a socket that ends within its own close()", () => {
  it("C32 leaves no timer behind", async () => {
    const { client, clock, network, log } = await openClient()
    network.last.close = function () {
      this.end(1000)
    }
    const end = client.close()
    expect(client.state).toBe("closed")
    expect(clock.pending).toBe(0)
    expect(await end).toMatchObject({ cause: "closed", lastClose: { code: 1000 } })
    expect(log.ends).toHaveLength(1)
  })
})
