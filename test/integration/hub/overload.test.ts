import { createServer } from "node:http"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createHub, text } from "holdfast"
import { attach } from "holdfast/server"
import { expect, it, onTestFinished } from "vitest"
import { until } from "../../support/deadline.js"
import { FrameParser } from "../../support/frame-parser.js"
import { upgradeRequest } from "../../support/server-raw.js"

const CLIENTS = 1_000
const CEILING = 8_388_608
const MESSAGE_BYTES = 8_192

const message = (i: number) => `${i} `.padEnd(MESSAGE_BYTES, ".")

/** A hub behind a socket of this machine's file system, whose kernel holds the same little for each connection. */
async function startCrowd() {
  const path = join(tmpdir(), `holdfast-${process.pid}-${Date.now()}.sock`)
  const server = createServer()
  const hub = createHub<string, string>({
    codec: text(),
    heartbeat: false,
    logger: false,
    maxTotalBufferedBytes: CEILING,
    closeTimeoutMs: 100,
  })
  attach(server, hub)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  const clients: { socket: Socket; numbers: number[] }[] = []
  onTestFinished(async () => {
    for (const { socket } of clients) socket.destroy()
    await hub.close()
    await new Promise((resolve) => server.close(resolve))
  })
  const open = async () => {
    const socket = connect(path)
    socket.on("error", () => {})
    socket.write(upgradeRequest())
    const [parser, numbers] = [new FrameParser(), [] as number[]]
    const head: Buffer[] = []
    let isOpen = false
    socket.on("data", (bytes) => {
      if (isOpen)
        return parser
          .push(bytes)
          .forEach(({ payload }) => void numbers.push(Number.parseInt(`${payload}`, 10)))
      head.push(bytes)
      isOpen = Buffer.concat(head).includes("\r\n\r\n")
    })
    clients.push({ socket, numbers })
    await until(() => isOpen, "a handshake")
  }
  for (let i = 0; i < CLIENTS; i += 1) await open()
  return { hub, clients }
}

it("S24: of 1,000 clients half stop reading: they are shed, slowest first, below a ceiling that is never exceeded", async () => {
  const { hub, clients } = await startCrowd()
  const connections = [...hub.connections.values()]
  const causes: string[] = []
  hub.on("close", ({ cause }) => causes.push(cause))
  /** The first quarter stops at once, the second later, and the others never. */
  const stop = (from: number, to: number) => {
    for (const { socket } of clients.slice(from, to)) socket.pause()
  }
  const openOf = (quarter: number) =>
    connections
      .slice((quarter * CLIENTS) / 4, ((quarter + 1) * CLIENTS) / 4)
      .filter(({ state }) => state === "open").length
  stop(0, CLIENTS / 4)
  let sent = 0
  // the last ones may hold a lot each before they reach the ceiling together
  for (; hub.connectionsShed < 450; sent += 1) {
    if (sent === 10) stop(CLIENTS / 4, CLIENTS / 2)
    hub.broadcast(message(sent))
    expect(hub.bufferedBytes).toBeLessThanOrEqual(CEILING)
    const isRead = () => clients.slice(CLIENTS / 2).every(({ numbers }) => numbers.length > sent)
    await until(isRead, `message ${sent} to be read`, 10_000)
    expect(hub.bufferedBytes).toBeLessThanOrEqual(CEILING)
    if (openOf(1) < CLIENTS / 4) expect(openOf(0)).toBe(0)
    expect(sent).toBeLessThan(200)
  }
  await until(() => causes.length === hub.connectionsShed, "the ends")
  expect(new Set(causes)).toEqual(new Set(["overload"]))
  expect([0, 1, 2, 3].map(openOf)).toEqual([0, CLIENTS / 2 - hub.connectionsShed, 250, 250])
  expect(hub.size).toBe(CLIENTS - hub.connectionsShed)
  const all = Array.from({ length: sent }, (_, i) => i)
  for (const { numbers } of clients.slice(CLIENTS / 2)) expect(numbers).toEqual(all)
}, 30_000)
