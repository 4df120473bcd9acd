import { describe, expect, it, onTestFinished } from "vitest"
import { BadServer, type Misbehaviour, upgraded } from "../../support/bad-server.js"
import { dial } from "../../support/client-servers.js"
import { until } from "../../support/deadline.js"

/** How often a server misbehaves before it is well. */
const TIMES = 3

const bytes = (...values: number[]) => Uint8Array.from(values)
const text = (body: string) => Buffer.concat([bytes(0x81, body.length), Buffer.from(body)])

/** Answers the handshake as it should, and then sends something. */
const then =
  (...chunks: (string | Uint8Array)[]): Misbehaviour =>
  (socket, accept) => {
    socket.write(upgraded(accept))
    for (const chunk of chunks) socket.write(chunk)
  }

/** Answers the handshake with something else. */
const answer =
  (...lines: string[]): Misbehaviour =>
  (socket) =>
    void socket.end([...lines, "", ""].join("\r\n"))

const HANDSHAKES: readonly (readonly [string, Misbehaviour])[] = [
  ["200 OK (RFC 6455, 4.1)", answer("HTTP/1.1 200 OK", "Content-Length: 0")],
  ["200 with an endless body", (socket) => void socket.write("HTTP/1.1 200 OK\r\n\r\nabc")],
  ["400 Bad Request", answer("HTTP/1.1 400 Bad Request", "Content-Length: 0")],
  ["404 Not Found", answer("HTTP/1.1 404 Not Found", "Content-Length: 0")],
  ["500 and the body's half", answer("HTTP/1.1 500 Oops", "Content-Length: 100", "", "half")],
  ["a redirect to itself", answer("HTTP/1.1 302 Found", "Location: /", "Content-Length: 0")],
  ["101 with a wrong Sec-WebSocket-Accept", (socket) => void socket.write(upgraded("bm9wZQ=="))],
  [
    "101 without Sec-WebSocket-Accept",
    answer("HTTP/1.1 101 Yes", "Upgrade: websocket", "Connection: Upgrade"),
  ],
  ["101 to another protocol", answer("HTTP/1.1 101 Yes", "Upgrade: h2c", "Connection: Upgrade")],
  [
    "a subprotocol nobody offered",
    (socket, key) => void socket.write(upgraded(key, "Sec-WebSocket-Protocol: x")),
  ],
  [
    "an extension nobody offered",
    (socket, key) => void socket.write(upgraded(key, "Sec-WebSocket-Extensions: x")),
  ],
  ["no HTTP at all", (socket) => void socket.end("SSH-2.0-OpenSSH_9.2\r\n")],
  [
    "random bytes",
    (socket) => void socket.end(Buffer.from(Array.from({ length: 512 }, (_, i) => (i * 73) % 256))),
  ],
  ["nothing, and FIN", (socket) => void socket.end()],
  ["nothing, and RST", (socket) => void socket.resetAndDestroy()],
  ["half a status line, and FIN", (socket) => void socket.end("HTTP/1.1 10")],
  [
    "half the headers, and RST",
    (socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: webs")
      setImmediate(() => socket.resetAndDestroy())
    },
  ],
  [
    "a header of 100 kB",
    (socket) => void socket.write(`HTTP/1.1 101 Yes\r\nX: ${"x".repeat(100_000)}\r\n\r\n`),
  ],
  ["silence", () => {}],
  ["half the headers, and silence", (socket) => void socket.write("HTTP/1.1 101 Switching")],
]

const FRAMES: readonly (readonly [string, Misbehaviour])[] = [
  ["FIN after the handshake", (socket, key) => void socket.end(upgraded(key))],
  [
    "RST after the handshake",
    (socket, key) => void socket.write(upgraded(key), () => socket.resetAndDestroy()),
  ],
  ["a masked frame (5.1)", then(bytes(0x81, 0x81, 1, 2, 3, 4, 0x60))],
  ["a reserved bit (5.2)", then(bytes(0xc1, 1, 0x61))],
  ["a reserved opcode (5.2)", then(bytes(0x83, 1, 0x61))],
  ["a ping of 126 bytes (5.5)", then(bytes(0x89, 126, 0, 126))],
  ["a fragmented ping (5.5)", then(bytes(0x09, 0))],
  ["a continuation of nothing (5.4)", then(bytes(0x80, 1, 0x61))],
  ["a message inside a message (5.4)", then(bytes(0x01, 1, 0x61, 0x81, 1, 0x62))],
  ["text that is no UTF-8 (8.1)", then(bytes(0x81, 2, 0xc3, 0x28))],
  ["a close frame of one byte (5.5.1)", then(bytes(0x88, 1, 3))],
  ["a close frame with code 1006 (7.4.1)", then(bytes(0x88, 2, 3, 0xee))],
  ["a length above 2^53 (5.2)", then(bytes(0x82, 127, 0xff, 255, 255, 255, 255, 255, 255, 255))],
  ["a message above maxPayload", then(bytes(0x82, 127, 0, 0, 0, 0, 0x40, 0, 0, 0))],
  [
    "a frame that is never finished, and FIN",
    (socket, key) => void socket.end(upgraded(key) + String(bytes(0x81))),
  ],
  [
    "a good message, and RST",
    (socket, key) => {
      socket.write(upgraded(key))
      socket.write(text("hi"), () => socket.resetAndDestroy())
    },
  ],
  ["HTTP after the handshake", then("HTTP/1.1 200 OK\r\n\r\n")],
  ["a dead line", then()],
]

/** Everything that reaches the process instead of the client. */
function trapStrays(): unknown[] {
  const strays: unknown[] = []
  const trap = (error: unknown) => void strays.push(error)
  process.on("uncaughtExceptionMonitor", trap).on("unhandledRejection", trap)
  onTestFinished(() => void process.off("uncaughtExceptionMonitor", trap).off("unhandledRejection", trap))
  return strays
}

describe("R5 a client of a server that misbehaves", () => {
  it.each([...HANDSHAKES, ...FRAMES])(
    "R5 survives %s, does not hammer, and comes back",
    async (_, misbehave) => {
      const strays = trapStrays()
      const server = await BadServer.start(misbehave, TIMES)
      const { client, log } = dial(server.url, {
        connectTimeoutMs: 150,
        heartbeat: { intervalMs: 100, timeoutMs: 100 },
        node: { maxPayload: 1_048_576 },
      })
      const isWell = () => server.dials === TIMES + 1 && client.state === "open"
      await until(isWell, "the connection to a server that is well", 5_000)
      client.send("back")
      await until(() => log.messages.includes("back"), "the echo")
      expect(log.states.filter((it) => it === "waiting")).toHaveLength(TIMES)
      // one try at a time, each counted: the waits grow
      expect(log.changes.filter(({ to }) => to === "waiting").map(({ attempt }) => attempt)).toEqual([
        1, 2, 3,
      ])
      await until(() => server.open.size === 1, "the bad sockets to end")
      expect(strays).toEqual([])
    },
  )
})
