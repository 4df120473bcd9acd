import { once } from "node:events"
import { describe, expect, it } from "vitest"
import { dial, RestartingServer, startStalling } from "../../support/client-servers.js"
import { inTime, until } from "../../support/deadline.js"
import { startProgram } from "../../support/demo-process.js"
import { startServer } from "../../support/ws-server.js"

const PROGRAM = "../test/support/client-ends-process.ts"
const CLOSE_MS = 100

async function endIn(kind: string, url: string) {
  const { code, stdout, stderr } = await startProgram(PROGRAM, [kind, url]).exited()
  return { code, stdout: stdout.trim(), stderr }
}

describe("C10 a process whose client has ended", () => {
  it("C10 has nothing left to do, and exits by itself without a word", async () => {
    const server = await startServer()
    const closing = await startServer()
    closing.wss.on("connection", (socket) => socket.close(1008, "go away"))
    const silent = await startStalling(1)
    const nobody = await RestartingServer.find()
    const ends = await Promise.all([
      endIn("closed", server.url),
      endIn("aborted", server.url),
      endIn("close-code", closing.url),
      endIn("max-retries", nobody.url),
      endIn("closed while connecting", silent.url),
      endIn("aborted while waiting", nobody.url),
    ])
    const causes = ["closed", "aborted", "close-code", "max-retries", "closed", "aborted"]
    expect(ends).toEqual(causes.map((stdout) => ({ code: 0, stdout, stderr: "" })))
  })
})

describe("C35 a process whose client is to keep nothing alive", () => {
  it("C35 exits by itself, whether the client is connected, dialling or waiting", async () => {
    const server = await startServer()
    const silent = await startStalling(1)
    const nobody = await RestartingServer.find()
    const ends = await Promise.all([
      endIn("unref while open", server.url),
      endIn("unref while connecting", silent.url),
      endIn("unref while waiting", nobody.url),
    ])
    const states = ["open", "connecting", "waiting"]
    expect(ends).toEqual(states.map((stdout) => ({ code: 0, stdout, stderr: "" })))
  })
})

describe("C32 close()", () => {
  it("C32 takes closeTimeoutMs and no longer where the server never answers the close", async () => {
    const server = await startServer()
    const { client, log } = dial(server.url, { closeTimeoutMs: CLOSE_MS })
    const { socket } = await server.accepted()
    await until(() => client.state === "open", "the open")
    socket.pause()
    const begin = performance.now()
    const end = await inTime(client.close(), "the end")
    // a timer may fire a moment early
    expect(performance.now() - begin).toBeGreaterThan(CLOSE_MS - 5)
    expect(end).toMatchObject({ cause: "closed", error: undefined, lastClose: { wasOpen: true } })
    expect(log.states).toEqual(["connecting", "open", "closing", "closed"])
    expect(log.ends).toEqual([end])
    const closed = once(socket, "close")
    socket.resume()
    await inTime(closed, "the server to see the end")
  })

  it("C32 does not wait for a server that answers, and may be called again", async () => {
    const server = await startServer()
    const { client, log } = dial(server.url, { closeTimeoutMs: 60_000 })
    const { socket } = await server.accepted()
    await until(() => client.state === "open", "the open")
    const closed = once(socket, "close")
    const ends = await inTime(
      Promise.all([client.close(3001, "bye"), client.close(), client.close()]),
      "the end",
    )
    expect(new Set(ends).size).toBe(1)
    expect((await closed).map(String)).toEqual(["3001", "bye"])
    expect(log.ends).toMatchObject([{ cause: "closed", lastClose: { code: 3001 } }])
  })

  it.each([
    ["close() is called", "closed"],
    ["its signal is aborted", "aborted"],
  ])("C32 ends a handshake that hangs when %s", async (_, cause) => {
    const server = await startStalling(1)
    const abort = new AbortController()
    const { client, log } = dial(server.url, { signal: abort.signal, connectTimeoutMs: 60_000 })
    const opened = client.opened.catch((error: unknown) => error)
    await until(() => server.stalled.size === 1, "the handshake")
    if (cause === "closed") void client.close()
    else abort.abort(new Error("enough"))
    expect(client.state).toBe("closed")
    const error = cause === "closed" ? undefined : { message: "enough" }
    expect(await inTime(client.closed, "the end")).toMatchObject({ cause, ...(error && { error }) })
    expect(await opened).toBeInstanceOf(Error)
    await until(() => server.stalled.size === 0, "the socket to end")
    expect(log.states).toEqual(["connecting", "closed"])
    expect([log.ends.length, log.errors]).toEqual([1, []])
  })

  it("C32 ends url() that is not done, and nothing is dialled afterwards", async () => {
    const server = await startServer()
    const signals: AbortSignal[] = []
    let answer: (url: string) => void = () => {}
    const { client, log } = dial(({ signal }) => {
      signals.push(signal)
      return new Promise<string>((resolve) => {
        answer = resolve
      })
    })
    await until(() => signals.length === 1, "the question")
    await client.close()
    answer(server.url)
    const later = dial(server.url)
    await inTime(later.client.opened, "a later client")
    expect([signals[0]?.aborted, server.wss.clients.size, log.ends.length]).toEqual([true, 1, 1])
  })
})
