/**
 * Where the drop-in socket does something else than the two it stands in for, on purpose. Each of these stands with
 * its reason in docs/migrating.md; a change here changes that page.
 */

import { connect, createServer, type Socket } from "node:net"
import { expect, it, onTestFinished } from "vitest"
import { observe, SUBJECTS, type SubjectName } from "../../support/compat-subjects.js"
import { until } from "../../support/deadline.js"
import { startServer } from "../../support/ws-server.js"

const NAMES = Object.keys(SUBJECTS) as SubjectName[]

/** Runs the same script with each of them. */
async function withEach<T>(script: (name: SubjectName) => Promise<T>): Promise<Record<SubjectName, T>> {
  const results = await Promise.all(NAMES.map(async (name) => [name, await script(name)] as const))
  return Object.fromEntries(results) as Record<SubjectName, T>
}

it("C39 a failed attempt: error, then close 1006 unclean; theirs is a clean close 1000, then the error", async () => {
  const logs = await withEach(async (name) => {
    const { log } = observe(name, "ws://127.0.0.1:1", [], { maxRetries: 0 })
    await until(() => log.length === 2, "two events")
    return log.map((it) => it.split(" retry")[0])
  })
  expect(logs).toEqual({
    holdfast: ["error", "close 1006 unclean"],
    partysocket: ["close 1000 unknown reason clean", "error"],
    "reconnecting-websocket": ["close 1000 clean", "error"],
  })
})

it("C39 a line that was cut: wasClean is false and the reason empty, as the standard says", async () => {
  const closes = await withEach(async (name) => {
    const { url, wss } = await startServer()
    const { log } = observe(name, url)
    await until(() => log.length === 1, "the open")
    for (const it of wss.clients) it.terminate()
    await until(() => log.length === 2, "the close")
    return log[1]
  })
  expect(closes).toEqual({
    holdfast: "close 1006 unclean retry 1",
    partysocket: "close 1006 unknown reason clean retry 1",
    "reconnecting-websocket": "close 1006 unclean retry 1",
  })
})

it("C39 close(): CLOSING until the server has answered, as the standard says; partysocket is CLOSED at once", async () => {
  const states = await withEach(async (name) => {
    const { url } = await startServer()
    const { socket, log } = observe(name, url)
    await until(() => log.length === 1, "the open")
    socket.close()
    return [socket.readyState, log.length - 1]
  })
  expect(states).toEqual({ holdfast: [2, 0], partysocket: [3, 1], "reconnecting-websocket": [2, 0] })
})

it("C39 close() between two tries is told with a last close, and reconnect() works after it", async () => {
  const counts = await withEach(async (name) => {
    const { url, wss } = await startServer()
    const { socket, log } = observe(name, url, [], { minReconnectionDelay: 300, maxReconnectionDelay: 300 })
    await until(() => log.length === 1, "the open")
    for (const it of wss.clients) it.close(4000)
    await until(() => log.length === 2, "the close")
    socket.close()
    await new Promise((resolve) => setTimeout(resolve, 400)) // longer than the try would have taken
    const closes = log.filter((it) => it.startsWith("close")).length
    socket.reconnect()
    await new Promise((resolve) => setTimeout(resolve, 400))
    return { closes, opens: log.filter((it) => it.startsWith("open")).length }
  })
  expect(counts).toEqual({
    holdfast: { closes: 2, opens: 2 },
    partysocket: { closes: 1, opens: 2 },
    "reconnecting-websocket": { closes: 1, opens: 1 },
  })
})

it("C39 reconnect() between two tries dials at once; theirs waits for the old delay to end", async () => {
  const opens = await withEach(async (name) => {
    const { url, wss } = await startServer()
    const { socket, log } = observe(name, url, [], {
      minReconnectionDelay: 2_000,
      maxReconnectionDelay: 2_000,
    })
    await until(() => log.length === 1, "the open")
    for (const it of wss.clients) it.close(4000)
    await until(() => log.length === 2, "the close")
    socket.reconnect()
    await new Promise((resolve) => setTimeout(resolve, 400)) // far shorter than the delay
    return log.filter((it) => it.startsWith("open")).length
  })
  expect(opens).toEqual({ holdfast: 2, partysocket: 1, "reconnecting-websocket": 1 })
})

it("C39 a url function that never settles is a failed attempt; theirs waits for ever", async () => {
  const counts = await withEach(async (name) => {
    const { url } = await startServer()
    let asked = 0
    const ask = () => {
      asked += 1
      return asked === 1 ? new Promise(() => {}) : Promise.resolve(url)
    }
    const { log } = observe(name, ask, [], { connectionTimeout: 100 })
    await new Promise((resolve) => setTimeout(resolve, 500)) // several times as long as an attempt may take
    return [asked, log.filter((it) => it.startsWith("open")).length]
  })
  expect(counts).toEqual({ holdfast: [2, 1], partysocket: [1, 0], "reconnecting-websocket": [1, 0] })
})

it("C39 a close code that says never is obeyed; theirs dial again", async () => {
  const counts = await withEach(async (name) => {
    const { url, wss } = await startServer()
    const { log } = observe(name, url)
    await until(() => log.length === 1, "the open")
    for (const it of wss.clients) it.close(1008)
    await new Promise((resolve) => setTimeout(resolve, 400)) // several times as long as a retry takes
    return log.filter((it) => it.startsWith("open")).length
  })
  expect(counts).toEqual({ holdfast: 1, partysocket: 2, "reconnecting-websocket": 2 })
})

it("C39 a bad address throws at once; theirs fail later, or never say so", () => {
  const throwing = NAMES.filter((name) => {
    try {
      observe(name, "ftp://127.0.0.1", [], { startClosed: true })
      return false
    } catch {
      return true
    }
  })
  expect(throwing).toEqual(["holdfast"])
})

it("C39 on… handlers are called in their place; theirs before all listeners", async () => {
  const orders = await withEach(async (name) => {
    const { url } = await startServer()
    const { socket } = observe(name, url)
    const calls: string[] = []
    socket.addEventListener("open", () => void calls.push("listener"))
    Object.assign(socket, { onopen: () => void calls.push("handler") })
    await until(() => calls.length === 2, "both calls")
    return calls
  })
  expect(orders).toEqual({
    holdfast: ["listener", "handler"],
    partysocket: ["handler", "listener"],
    "reconnecting-websocket": ["handler", "listener"],
  })
})

it("C39 a server that goes silent is noticed; theirs never do", async () => {
  const counts = await withEach(async (name) => {
    const { url } = await startMuteServer()
    const { log } = observe(name, url, [], { heartbeat: { intervalMs: 50, timeoutMs: 50 } })
    await until(() => log.length === 1, "the open")
    await new Promise((resolve) => setTimeout(resolve, 400)) // several times the silence that is allowed
    return log.some((it) => it.startsWith("close"))
  })
  expect(counts).toEqual({ holdfast: true, partysocket: false, "reconnecting-websocket": false })
})

/** A server that completes the handshake through a proxy which then swallows everything. */
async function startMuteServer(): Promise<{ url: string }> {
  const { port } = await startServer()
  const sockets: Socket[] = []
  const proxy = createServer((near) => {
    const far = near.pipe(connect(port, "127.0.0.1"))
    far.once("data", (answer) => {
      near.write(answer)
      near.unpipe(far).resume()
    })
    sockets.push(near, far)
  })
  await new Promise<void>((resolve) => void proxy.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    for (const it of sockets) it.destroy()
    proxy.close()
  })
  return { url: `ws://127.0.0.1:${(proxy.address() as { port: number }).port}` }
}
