import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { connectTestClient } from "holdfast/testing"
import { type FaultProxy, faultProxy, startTestHub } from "holdfast/testing/node"
import { describe, expect, it, onTestFinished } from "vitest"
import { dial } from "../../support/client-servers.js"
import { inTime, until } from "../../support/deadline.js"

/** One end of a connection, and everything that happened to it. */
class End {
  /** How many bytes came in. */
  length = 0
  readonly events: string[] = []
  readonly #chunks: Buffer[] = []

  constructor(readonly socket: Socket) {
    socket.on("data", (bytes) => {
      this.#chunks.push(bytes)
      this.length += bytes.length
    })
    socket.on("end", () => this.events.push("end"))
    socket.on("error", (error: NodeJS.ErrnoException) => this.events.push(error.code ?? "error"))
    socket.on("close", () => this.events.push("close"))
    onTestFinished(() => void socket.destroy())
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  get text(): string {
    return String(this.received)
  }
}

/** A TCP server behind a proxy, and a way to open lines through it. */
async function behind(options: Parameters<typeof faultProxy>[1] = {}) {
  const accepted: End[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => accepted.push(new End(socket)))
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => void server.close())
  const proxy = await faultProxy((server.address() as AddressInfo).port, options)
  onTestFinished(() => proxy.close())
  return {
    proxy,
    accepted,
    async open(): Promise<{ near: End; far: End }> {
      const before = accepted.length
      const near = new End(connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true }))
      await inTime(once(near.socket, "connect"), "the connection")
      await until(() => accepted.length > before, "the far end")
      return { near, far: accepted[before] as End }
    },
  }
}

const pass = async (proxy: FaultProxy) => {
  // as long as something passes, something else may be on its way
  for (let before = -1; proxy.passed.up + proxy.passed.down !== before; ) {
    before = proxy.passed.up + proxy.passed.down
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe("K3: a fault proxy", () => {
  it("passes bytes both ways, whole and in order, and the end of each direction by itself", async () => {
    const { open, proxy } = await behind()
    const { near, far } = await open()
    const bytes = Buffer.alloc(3_000_000, "0123456789")
    near.socket.write(bytes)
    far.socket.end("answer")
    await until(() => far.length === bytes.length && near.events.length > 0, "all of it", 5_000)
    expect(far.received.equals(bytes)).toBe(true)
    expect([near.text, near.events, far.events]).toEqual(["answer", ["end"], []])
    near.socket.end("last")
    await until(() => far.events.includes("close") && near.events.includes("close"), "the ends")
    expect(far.text.slice(-4)).toBe("last")
    expect(proxy.passed).toEqual({ up: bytes.length + 4, down: 6 })
    await until(() => proxy.size === 0, "the line to be forgotten")
  })

  it("delays each byte, and the end", async () => {
    const { open } = await behind({ latencyMs: 80 })
    const { near, far } = await open()
    const start = performance.now()
    near.socket.end("late")
    await until(() => far.events.length > 0, "the end")
    expect(far.text).toBe("late")
    expect(performance.now() - start).toBeGreaterThanOrEqual(79)
  })

  it("limits how many bytes pass in a second", async () => {
    const { open, proxy } = await behind({ bytesPerSecond: 100_000 })
    const { near, far } = await open()
    const start = performance.now()
    near.socket.write(Buffer.alloc(30_000))
    await until(() => far.length === 30_000, "all of it", 5_000)
    // the last piece counts for the bytes after it
    expect(performance.now() - start).toBeGreaterThanOrEqual(270)
    proxy.bytesPerSecond = false
    near.socket.write(Buffer.alloc(5_000_000))
    await until(() => far.length === 5_030_000, "the rest, at once", 5_000)
  })

  it("stalls a direction: bytes wait, in the end with their sender, and pass afterwards", async () => {
    const { open, proxy } = await behind()
    const { near, far } = await open()
    proxy.stall("up")
    near.socket.write(Buffer.alloc(20_000_000))
    far.socket.write("down")
    await until(() => near.text === "down", "the other direction")
    await pass(proxy)
    expect(far.length).toBe(0)
    expect(near.socket.writableLength).toBeGreaterThan(0)
    const later = await open()
    later.near.socket.write("new")
    await pass(proxy)
    expect(later.far.text).toBe("")
    proxy.unstall()
    await until(() => far.length === 20_000_000 && later.far.text === "new", "what waited", 5_000)
  })

  it("freezes the lines there are: neither end is told anything, not even of the other's end", async () => {
    const { open, proxy } = await behind()
    const { near, far } = await open()
    proxy.freeze()
    near.socket.write("lost")
    far.socket.write("lost")
    near.socket.resetAndDestroy()
    const next = await open()
    next.near.socket.write("fine")
    await until(() => next.far.text === "fine", "the next line")
    expect([far.text, far.events, near.text]).toEqual(["", [], ""])
    expect([proxy.size, proxy.dead]).toEqual([1, 1])
  })

  it("is a black hole until it is healed", async () => {
    const { open, proxy, accepted } = await behind()
    const { near } = await open()
    proxy.blackHole()
    const lost = new End(connect(proxy.port, "127.0.0.1"))
    await inTime(once(lost.socket, "connect"), "the connection to nowhere")
    lost.socket.write("hello")
    near.socket.write("hello")
    await pass(proxy)
    expect([accepted.length, accepted[0]?.text, lost.events, near.events]).toEqual([1, "", [], []])
    proxy.heal()
    const { near: healed, far } = await open()
    healed.socket.write("hello")
    await until(() => far.text === "hello", "the line that was opened afterwards")
  })

  it("half-closes: one side has finished, the other goes on", async () => {
    const { open, proxy } = await behind()
    const { near, far } = await open()
    far.socket.write("before")
    await until(() => near.text === "before", "the bytes before")
    proxy.halfClose("down")
    await until(() => near.events.includes("end"), "the end")
    near.socket.write("still here")
    await until(() => far.text === "still here", "the other direction")
    expect([near.events, far.events]).toEqual([["end"], []])
  })

  it("resets both ends at once", async () => {
    const { open, proxy } = await behind()
    const lines = [await open(), await open()]
    proxy.reset()
    expect(proxy.size).toBe(0)
    for (const { near, far } of lines) {
      await until(() => near.events.includes("close") && far.events.includes("close"), "the ends")
      expect(near.events).toEqual(["ECONNRESET", "close"])
      expect(far.events).toEqual(["ECONNRESET", "close"])
    }
    expect((await open()).near.events).toEqual([])
  })

  it("resets after exactly so many bytes, once", async () => {
    const { open, proxy } = await behind()
    const { near, far } = await open()
    proxy.resetAfter(5, "down")
    near.socket.write("does not count")
    far.socket.write("123")
    await until(() => near.text === "123", "the first bytes")
    far.socket.write("456789")
    await until(() => near.events.includes("close"), "the reset")
    expect([near.text, near.events]).toEqual(["12345", ["ECONNRESET", "close"]])
    const next = await open()
    next.far.socket.write("123456789")
    await until(() => next.near.text === "123456789", "the next line")
  })

  it("does not reset any more once it is healed", async () => {
    const { open, proxy } = await behind()
    proxy.resetAfter(3, "up")
    proxy.heal()
    const { near, far } = await open()
    near.socket.write("123456")
    await until(() => far.text === "123456", "all of it")
  })

  it("refuses, and accepts again on the same port; lines that were open go on", async () => {
    const { open, proxy } = await behind()
    const { near, far } = await open()
    const { port } = proxy
    proxy.refuse()
    const refused = new End(connect(port, "127.0.0.1"))
    await until(() => refused.events.includes("close"), "the refusal")
    expect(refused.events).toEqual(["ECONNREFUSED", "close"])
    near.socket.write("on")
    await until(() => far.text === "on", "the open line")
    await proxy.accept()
    expect(proxy.port).toBe(port)
    await open()
  })

  it("resets whoever connects while there is no target", async () => {
    const server = createServer().listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    server.close()
    await using proxy = await faultProxy(port)
    const near = new End(connect(proxy.port, "127.0.0.1"))
    await until(() => near.events.includes("close"), "the end")
    expect(near.events).toEqual(["ECONNRESET", "close"])
  })

  it("leaves nothing behind when it is closed, dead lines and lines that connect included", async () => {
    const { open, proxy, accepted } = await behind()
    await open()
    proxy.freeze()
    const { near } = await open()
    connect(proxy.port, "127.0.0.1").on("error", () => {})
    await proxy.close()
    await until(() => near.events.includes("close"), "the end of the line")
    expect([proxy.size, proxy.dead]).toEqual([0, 0])
    await until(() => accepted.every(({ events }) => events.includes("close")), "the far ends")
    await proxy.close()
  })

  it("resolves every close, however many wait for it", async () => {
    const { proxy, open } = await behind()
    await Promise.all([open(), open()])
    const closing = [proxy.close(), proxy.close(), proxy[Symbol.asyncDispose]()]
    await inTime(Promise.all(closing), "all of them to resolve")
    expect([proxy.size, proxy.dead]).toEqual([0, 0])
  })

  it("has the address of its target, but for the place", async () => {
    for (const [target, shown] of [
      ["ws://localhost:1234", /^ws:\/\/127\.0\.0\.1:\d+$/],
      ["wss://localhost:1234/ws/lobby?token=1", /^wss:\/\/127\.0\.0\.1:\d+\/ws\/lobby\?token=1$/],
      [new URL("ws://localhost:1234/"), /^ws:\/\/127\.0\.0\.1:\d+$/],
      [1234, /^ws:\/\/127\.0\.0\.1:\d+$/],
    ] as const) {
      await using proxy = await faultProxy(target)
      expect(proxy.url).toMatch(shown)
    }
  })

  it.each([
    ["nowhere", {}, 'faultProxy must be an address or a port, received "nowhere"'],
    [0, {}, "faultProxy must be a number from 1 to 65535, received 0"],
    [1, { latencyMs: -1 }, "faultProxy.latencyMs must be a finite number ≥ 0, received -1"],
    [1, { bytesPerSecond: 0 }, "faultProxy.bytesPerSecond must be a finite number ≥ 1, received 0"],
  ])("refuses what cannot be: %s %j", async (target, options, message) => {
    await expect(faultProxy(target, options)).rejects.toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", message }),
    )
  })
})

describe("K3: WebSockets through a fault proxy", () => {
  it("are cut in the middle of a frame, and come back", async () => {
    await using server = await startTestHub<string, string>()
    await using proxy = await faultProxy(server.url)
    const { client, log } = dial<string, string>(proxy.url, { codec: undefined })
    await client.opened
    proxy.resetAfter(40, "down")
    server.hub.broadcast("x".repeat(100))
    await until(
      () => log.states.filter((it) => it === "open").length === 2 && server.hub.size === 1,
      "the client's return",
      5_000,
    )
    server.hub.broadcast("whole")
    await until(() => log.messages.length > 0, "a whole message")
    expect(log.messages).toEqual(["whole"])
    expect(client.state).toBe("open")
  })

  it("are slow where the line is slow", async () => {
    await using server = await startTestHub()
    await using proxy = await faultProxy(server.url, { latencyMs: 50 })
    await using client = await connectTestClient(proxy.url)
    server.hub.on("message", ({ connection, data }) => connection.send(data))
    const start = performance.now()
    client.send("there and back")
    expect(await client.next()).toBe("there and back")
    expect(performance.now() - start).toBeGreaterThanOrEqual(99)
  })
})
