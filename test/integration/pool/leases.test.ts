import { dial, text } from "holdfast"
import { describe, expect, it, onTestFinished } from "vitest"
import { echo, RestartingServer, startStalling } from "../../support/client-servers.js"
import { inTime, until } from "../../support/deadline.js"
import { ask, poolOf } from "../../support/pool-servers.js"
import { startServer } from "../../support/ws-server.js"

/** Watches the most connections that a server had at one time. */
function mostOf(server: Awaited<ReturnType<typeof startServer>>): {
  readonly most: number
  readonly all: number
} {
  const counts = { most: 0, all: 0 }
  server.wss.on("connection", () => {
    counts.all += 1
    counts.most = Math.max(counts.most, server.wss.clients.size)
  })
  return counts
}

describe("C40 a pool over real sockets", () => {
  it("C40 answers everybody with his own word, through never more than max connections", async () => {
    const server = await startServer()
    echo(server.wss)
    const counts = mostOf(server)
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on("warning", onWarning)
    onTestFinished(() => void process.off("warning", onWarning))
    const pool = poolOf(server.url, { max: 4 })
    const words = Array.from({ length: 300 }, (_, index) => `word ${index}`)
    const answers = await inTime(
      Promise.all(words.map((word) => pool.use((lease) => ask(lease, word)))),
      "all answers",
      10_000,
    )
    expect(answers).toEqual(words)
    expect(counts).toEqual({ most: 4, all: 4 })
    expect([pool.size, pool.idle, pool.leased, pool.waiting]).toEqual([4, 4, 0, 0])
    // a listener that stays behind with every lease would be warned of
    expect(warnings).toEqual([])
  })

  it("C40 sends what was sent right before the release, and a big message whole", async () => {
    const server = await startServer()
    const received: string[] = []
    server.wss.on("connection", (socket) => socket.on("message", (data) => received.push(String(data))))
    const pool = poolOf(server.url, { max: 1 })
    const big = "x".repeat(1_000_000)
    const send = async (...words: string[]) => {
      using lease = await pool.acquire()
      for (const word of words) expect(lease.send(word)).toBe("sent")
    }
    await inTime(Promise.all([send("one", big), send("two"), send(big), send("three")]), "the leases")
    await until(() => received.length === 5, "the messages")
    expect(received).toEqual(["one", big, "two", big, "three"])
  })

  it("C40 gives what the server says first to onOpen, or to the first holder", async () => {
    const server = await startServer()
    // within the same segment as the answer to the upgrade
    server.wss.on("connection", (socket) => socket.send("welcome"))
    const heard: string[] = []
    const prepared = poolOf(server.url, {
      onOpen: async (connection) => {
        for await (const message of connection) {
          heard.push(message)
          break
        }
      },
    })
    await prepared.use(() => {})
    expect(heard).toEqual(["welcome"])
    const bare = poolOf(server.url)
    using lease = await bare.acquire()
    expect((await inTime(lease.iterate().next(), "the welcome")).value).toBe("welcome")
  })

  it("C40 never hands out what the server has closed", async () => {
    const server = await startServer()
    echo(server.wss)
    const pool = poolOf(server.url, { max: 1 })
    const first = await pool.use(({ id }) => id)
    const { socket } = await server.accepted()
    socket.close(1001)
    await until(() => pool.size === 0, "the pool to notice")
    const second = await pool.use(async (lease) => [lease.id, await ask(lease, "hello")])
    expect(second).toEqual([expect.not.stringMatching(first), "hello"])
  })

  it("C40 evicts what is idle for too long, and the server sees an orderly end", async () => {
    const server = await startServer()
    const pool = poolOf(server.url, { idleTimeoutMs: 50 })
    await pool.use(() => {})
    const { socket } = await server.accepted()
    const [code, reason] = await inTime(
      new Promise<[number, string]>((resolve) => {
        socket.on("close", (code, reason) => resolve([code, String(reason)]))
      }),
      "the eviction",
    )
    expect([code, reason]).toEqual([1000, "idle"])
    await until(() => pool.size === 0, "the pool to be empty")
  })

  it("C40 notices with its heartbeat that an idle server is dead, and dials another time", async () => {
    const server = await startServer()
    const pool = poolOf(server.url, { max: 1, heartbeat: { intervalMs: 100, timeoutMs: 100 } })
    const causes: string[] = []
    pool.on("close", ({ cause, wasLeased }) => causes.push(`${cause} ${wasLeased}`))
    await pool.use(() => {})
    const { socket } = await server.accepted()
    socket.pause()
    await until(() => pool.size === 0, "the pool to notice")
    expect(causes).toEqual(["heartbeat false"])
    expect(await pool.use(({ state }) => state)).toBe("open")
  })

  it("C40 resolves close() within the closing timeout where a server never answers", async () => {
    const server = await startServer()
    const pool = poolOf(server.url)
    using lease = await pool.acquire()
    const { socket } = await server.accepted()
    socket.pause()
    await inTime(pool.close(), "the end")
    expect([pool.size, lease.state]).toEqual([0, "closed"])
    socket.resume()
  })
})

describe("C40 a pool whose server is not there", () => {
  it("C40 tells why, and dials no more often than the backoff says", async () => {
    const server = await RestartingServer.find()
    let dials = 0
    const pool = poolOf(
      () => {
        dials += 1
        return server.url
      },
      { backoff: { initialMs: 60_000, jitter: "none", maxMs: 60_000 } },
    )
    await expect(pool.acquire()).rejects.toMatchObject({
      code: "CONNECT_FAILED",
      cause: { code: "ECONNREFUSED" },
    })
    const late = await Promise.all(
      Array.from({ length: 50 }, () => pool.acquire({ timeoutMs: 50 }).catch((error: unknown) => error)),
    )
    for (const error of late)
      expect(error).toMatchObject({ code: "ACQUIRE_TIMEOUT", cause: { code: "CONNECT_FAILED" } })
    expect(dials).toBe(1)
  })

  it("C40 shows the status of a refusal, and sends the headers of the moment", async () => {
    const tokens: unknown[] = []
    const server = await startServer({
      verifyClient: ({ req }, answer) => {
        tokens.push(req.headers["x-token"])
        if (req.headers["x-token"] === "t0") answer(false, 503, "busy", { "Retry-After": "0" })
        else answer(true)
      },
    })
    const pool = poolOf(server.url, { node: { headers: ({ attempt }) => ({ "X-Token": `t${attempt}` }) } })
    await expect(pool.acquire()).rejects.toMatchObject({ code: "CONNECT_FAILED", status: 503 })
    expect(await pool.use(({ state }) => state)).toBe("open")
    expect(tokens).toEqual(["t0", "t1"])
  })

  it("C40 gives up a handshake that hangs, and the next one works", async () => {
    const server = await startStalling(1)
    const pool = poolOf(server.url, { max: 1, connectTimeoutMs: 200 })
    await expect(pool.acquire()).rejects.toMatchObject({ code: "CONNECT_TIMEOUT" })
    expect(await pool.use((lease) => ask(lease, "hello"))).toBe("hello")
    await until(() => server.stalled.size === 0, "the first socket to end")
  })
})

describe("C40 dial", () => {
  it("C40 opens one connection, and says why it cannot", async () => {
    const server = await startServer()
    echo(server.wss)
    {
      await using connection = await dial<string, string>(server.url, { codec: text() })
      connection.send("hello")
      expect((await inTime(connection.iterate().next(), "the echo")).value).toBe("hello")
    }
    await until(() => server.wss.clients.size === 0, "the end")
    const nobody = await RestartingServer.find()
    await expect(dial(nobody.url)).rejects.toMatchObject({ code: "CONNECT_FAILED" })
    const silent = await startStalling(1)
    const signal = AbortSignal.timeout(50)
    await expect(dial(silent.url, { signal })).rejects.toMatchObject({ code: "ABORTED" })
    await until(() => silent.stalled.size === 0, "the socket to end")
  })
})
