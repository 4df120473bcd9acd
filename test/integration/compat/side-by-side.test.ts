/**
 * The drop-in socket beside the two it stands in for: the same script against the same kind of server has to leave the
 * same log. What differs on purpose stands in docs/migrating.md, and in differences.test.ts.
 */

import { describe, expect, it } from "vitest"
import type { WebSocket } from "ws"
import { observe, SUBJECTS, type SubjectName } from "../../support/compat-subjects.js"
import { until } from "../../support/deadline.js"
import { startServer } from "../../support/ws-server.js"

/** Twice as long as a retry would take: what has not come by then does not come. */
const nothingMore = () => new Promise((resolve) => setTimeout(resolve, 150))

const NAMES = Object.keys(SUBJECTS) as SubjectName[]
/** What reconnecting-websocket does not have. */
const NEWER = NAMES.filter((it) => it !== "reconnecting-websocket")

/** A server that writes down what it hears, and echoes on request. */
async function startPeer() {
  const server = await startServer({ handleProtocols: (offered) => [...offered].at(-1) ?? false })
  const heard: string[] = []
  const closes: string[] = []
  server.wss.on("connection", (socket, { url }) => {
    heard.push(`connection ${url}`)
    socket.on("message", (data, isBinary) => {
      heard.push(isBinary ? `bytes ${(data as Buffer).toString("hex")}` : String(data))
      if (String(data) === "echo") socket.send("echoed")
      if (String(data) === "echo bytes") socket.send(Uint8Array.of(1, 2, 3))
    })
    socket.on("close", (code, reason) => closes.push(`${code} ${reason}`))
  })
  const each = (act: (socket: WebSocket) => void) => server.wss.clients.forEach(act)
  return { server, heard, closes, each, url: server.url }
}

describe.each(NAMES)("C39 %s", (name) => {
  it("C39 opens, sends, receives, and says where it is", async () => {
    const { url, heard } = await startPeer()
    const { socket, log } = observe(name, `${url}/path`, ["v2", "v1"])
    expect(socket.readyState).toBe(0)
    await until(() => log.length === 1, "the open")
    socket.send("echo")
    await until(() => log.length === 2, "the echo")
    expect(log).toEqual(["open @1", "message echoed"])
    expect(heard).toEqual(["connection /path", "echo"])
    expect([socket.url, socket.protocol, socket.extensions]).toEqual([`${url}/path`, "v1", ""])
  })

  it("C39 sends what was queued before what the open event sends", async () => {
    const { url, heard } = await startPeer()
    const { socket, log } = observe(name, url)
    socket.addEventListener("open", () => socket.send("in open"))
    socket.send("first")
    socket.send(Uint8Array.of(7).buffer)
    socket.send(Uint8Array.of(0, 8, 0).subarray(1, 2))
    await until(() => heard.length === 5, "everything")
    expect(heard.slice(1)).toEqual(["first", "bytes 07", "bytes 08", "in open"])
    expect(log).toEqual(["open @1"])
  })

  it("C39 tells of a loss once, is CLOSED until the next try, and sends then what it was given meanwhile", async () => {
    const { url, heard, each } = await startPeer()
    const { socket, log } = observe(name, url)
    await until(() => log.length === 1, "the open")
    each((it) => it.close(4000, "bye"))
    await until(() => log.length === 2, "the close")
    expect([socket.readyState, socket.url]).toEqual([3, `${url}/`])
    socket.send("kept")
    await until(() => heard.includes("kept"), "the message")
    expect(log).toEqual(["open @1", "close 4000 bye clean retry 1", "open @1"])
    expect(socket.retryCount).toBe(1)
  })

  it("C39 tells of a line that was cut as 1006", async () => {
    const { url, each } = await startPeer()
    const { log } = observe(name, url)
    await until(() => log.length === 1, "the open")
    each((it) => it.terminate())
    await until(() => log.length === 3, "the next open")
    expect(log.map((it) => it.slice(0, 10).trim())).toEqual(["open @1", "close 1006", "open @1"])
  })

  it("C39 counts retries anew after minUptime", async () => {
    const { url, each } = await startPeer()
    const { socket, log } = observe(name, url, [], { minUptime: 50 })
    await until(() => log.length === 1, "the open")
    each((it) => it.close(4000, "one"))
    await until(() => log.length === 3, "the next open")
    expect(socket.retryCount).toBe(1)
    await until(() => socket.retryCount === 0, "the count to begin anew")
    each((it) => it.close(4000, "two"))
    await until(() => log.length === 5, "the next open")
    expect(log.filter((it) => it.startsWith("close"))).toEqual([
      "close 4000 one clean retry 1",
      "close 4000 two clean retry 1",
    ])
  })

  it("C39 reconnect() closes with its code, says so before it returns, and dials", async () => {
    const { url, closes } = await startPeer()
    const { socket, log } = observe(name, url)
    await until(() => log.length === 1, "the open")
    socket.reconnect(4001, "again")
    expect(log.slice(1)).toEqual(["close 4001 again clean retry 0"])
    await until(() => log.length === 3 && closes.length === 1, "the next open")
    expect([log.at(-1), closes]).toEqual(["open @1", ["4001 again"]])
  })

  it("C39 close() closes with its code and stays away", async () => {
    const { url, heard, closes } = await startPeer()
    const { socket, log } = observe(name, url)
    await until(() => log.length === 1, "the open")
    socket.close(3000, "done")
    await until(() => log.length === 2 && closes.length === 1 && socket.readyState === 3, "the close")
    await nothingMore()
    expect(log.slice(1)).toEqual(["close 3000 done clean retry 0"])
    expect([closes, heard.length]).toEqual([["3000 done"], 1])
  })

  it("C39 close() inside a close event stops it, without another close", async () => {
    const { url, heard, each } = await startPeer()
    const { socket, log } = observe(name, url)
    socket.addEventListener("close", () => socket.close())
    await until(() => log.length === 1, "the open")
    each((it) => it.close(4001, "expired"))
    await until(() => log.length === 2, "the close")
    await nothingMore()
    expect(log.slice(1)).toEqual(["close 4001 expired clean retry 1"])
    expect(heard).toHaveLength(1)
  })

  it("C39 asks an async url function once per try", async () => {
    const { url, heard, each } = await startPeer()
    let asked = 0
    const { socket, log } = observe(name, async () => {
      asked += 1
      return `${url}/?try=${asked}`
    })
    await until(() => log.length === 1, "the open")
    each((it) => it.close(4000))
    await until(() => log.length === 3, "the next open")
    expect(heard).toEqual(["connection /?try=1", "connection /?try=2"])
    expect(socket.url).toBe(`${url}/?try=2`)
  })

  it("C39 started closed, waits for reconnect()", async () => {
    const { url, heard } = await startPeer()
    const { socket, log } = observe(name, url, undefined, { startClosed: true })
    socket.send("early")
    await nothingMore()
    expect([socket.readyState, log, heard]).toEqual([3, [], []])
    socket.reconnect()
    await until(() => heard.length === 2, "the message")
    expect([log, heard]).toEqual([["open @1"], ["connection /", "early"]])
  })

  it("C39 keeps binaryType across connections", async () => {
    const { url, each } = await startPeer()
    const { socket, log, messages } = observe(name, url)
    expect(socket.binaryType).toBe("blob")
    socket.binaryType = "arraybuffer"
    await until(() => log.length === 1, "the open")
    each((it) => it.close(4000))
    await until(() => log.length === 3, "the next open")
    socket.send("echo bytes")
    await until(() => messages.length === 1, "the bytes")
    expect([...new Uint8Array(messages[0] as ArrayBuffer)]).toEqual([1, 2, 3])
    expect(log.at(-1)).toBe("message ArrayBuffer")
  })

  it("C39 hands over Blobs by default, and sends them in their place", async () => {
    const { url, heard } = await startPeer()
    const { socket, log, messages } = observe(name, url)
    await until(() => log.length === 1, "the open")
    socket.send(new Blob([Uint8Array.of(9)]))
    socket.send("echo bytes")
    await until(() => messages.length === 1, "the bytes")
    expect(heard.slice(1)).toEqual(["bytes 09", "echo bytes"])
    expect(log.at(-1)).toBe("message Blob")
    expect([...new Uint8Array(await (messages[0] as Blob).arrayBuffer())]).toEqual([1, 2, 3])
  })

  it("C39 gives up after maxRetries more tries than the first", async () => {
    const { server, url } = await startPeer()
    let tries = 0
    server.wss.options.verifyClient = () => {
      tries += 1
      return false
    }
    const { socket, log } = observe(name, url, [], { maxRetries: 2 })
    await until(() => log.filter((it) => it.startsWith("close")).length === 3, "three closes")
    await nothingMore()
    expect([tries, log.length, socket.readyState, socket.retryCount]).toEqual([3, 6, 3, 2])
  })
})

describe.each(NEWER)("C39 %s", (name) => {
  it("C39 shouldReconnectOnClose decides", async () => {
    const { url, heard, each } = await startPeer()
    const asked: number[] = []
    const shouldReconnectOnClose = ({ code }: { code: number }) => asked.push(code) < 2
    const { log } = observe(name, url, [], { shouldReconnectOnClose })
    await until(() => log.length === 1, "the open")
    each((it) => it.close(4000))
    await until(() => log.length === 3, "the next open")
    each((it) => it.close(4002))
    await until(() => log.length === 4, "the last close")
    await nothingMore()
    expect([asked, heard.length]).toEqual([[4000, 4002], 2])
  })

  it("C39 asks a protocols function, hands back its queue, and revives a closed socket with what it was given", async () => {
    const { url, heard } = await startPeer()
    const { socket, log } = observe(name, url, async () => ["a", "b"])
    socket.send("taken back")
    expect(socket.drainQueuedMessages?.()).toEqual(["taken back"])
    await until(() => log.length === 1, "the open")
    expect(socket.protocol).toBe("b")
    socket.close()
    await until(() => log.length === 2, "the close")
    socket.send("late")
    socket.reconnect()
    await until(() => heard.length === 3, "the message")
    expect(heard.slice(2)).toEqual(["late"])
  })
})
