import { describe, expect, it } from "vitest"
import { seededRandom } from "../../support/seeded-random.js"
import { type Attached, startAttached } from "../../support/server-attached.js"
import { startHttps } from "../../support/server-http.js"
import { RawClient, type RequestParts, textFrame, upgradeRequest } from "../../support/server-raw.js"
import { connect } from "../../support/ws-server.js"

type Server = Attached

const KEY = "Sec-WebSocket-Key"
const VERSION = "Sec-WebSocket-Version"

/** Writes something, reads until the server ends the connection, and makes sure that nothing is left. */
async function answerTo(server: Server, bytes: string | Uint8Array): Promise<string> {
  const raw = await RawClient.open(server)
  raw.socket.write(bytes)
  const answer = await raw.ended()
  await server.idle()
  expect([server.hub.size, server.added.size, server.errors.size]).toEqual([0, 0, 0])
  return answer
}

/** The server takes a well-behaved client as if nothing had happened. */
async function expectAlive({ url, hub }: Server): Promise<void> {
  const client = await connect(url)
  expect(hub.size).toBe(1)
  await client.close()
}

const NO_HANDSHAKE: readonly [what: string, status: number, parts: RequestParts][] = [
  ["no key", 400, { headers: { [KEY]: undefined } }],
  ["an empty key", 400, { headers: { [KEY]: "" } }],
  ["a key of 15 bytes", 400, { headers: { [KEY]: "dGhlIHNhbXBsZSBub24=" } }],
  ["a key of 17 bytes", 400, { headers: { [KEY]: "dGhlIHNhbXBsZSBub25jZWE=" } }],
  ["a key that is no base64", 400, { headers: { [KEY]: "dGhlIHNhbXBsZSBub25j*Q==" } }],
  [
    "two keys",
    400,
    { headers: { [KEY]: "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" } },
  ],
  ["no version", 400, { headers: { [VERSION]: undefined } }],
  ["an old version", 400, { headers: { [VERSION]: "7" } }],
  ["a version to come", 400, { headers: { [VERSION]: "14" } }],
  ["a version that is no number", 400, { headers: { [VERSION]: "thirteen" } }],
  ["two versions", 400, { headers: { [VERSION]: "13, 8" } }],
  ["another protocol to upgrade to", 400, { headers: { Upgrade: "h2c" } }],
  ["an empty offer of subprotocols", 400, { headers: { "Sec-WebSocket-Protocol": "" } }],
  ["a subprotocol that is no token", 400, { headers: { "Sec-WebSocket-Protocol": "a b" } }],
  ["a subprotocol twice", 400, { headers: { "Sec-WebSocket-Protocol": "a, a" } }],
  ["POST", 405, { method: "POST" }],
  ["POST with a body", 405, { method: "POST", headers: { "Content-Length": "5" }, body: "hello" }],
  ["HEAD", 405, { method: "HEAD" }],
  ["OPTIONS", 405, { method: "OPTIONS" }],
]

describe("R2: an upgrade request that is no handshake", () => {
  it.each(NO_HANDSHAKE)("is answered by a 4xx and never added: %s", async (_, status, parts) => {
    const server = await startAttached()
    expect(await answerTo(server, upgradeRequest(parts))).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    await expectAlive(server)
  })

  it("is answered by a 4xx over TLS", async () => {
    const server = await startAttached({}, { target: await startHttps() })
    expect(await answerTo(server, upgradeRequest({ headers: { [KEY]: undefined } }))).toMatch(
      /^HTTP\/1.1 400 /,
    )
  })

  it("is told which versions there are", async () => {
    const server = await startAttached()
    expect(await answerTo(server, upgradeRequest({ headers: { [VERSION]: "7" } }))).toContain(
      `${VERSION}: 13, 8\r\n`,
    )
  })

  it("R6: repeats nothing of the request in its answer", async () => {
    const server = await startAttached({ path: "/ws/:room" })
    const secret = "<script>alert(1)</script>"
    for (const target of [`/${secret}`, `/ws/%zz${secret}`, `/ws/${secret}`]) {
      const request = upgradeRequest({ target, headers: { [KEY]: secret, Cookie: secret, "X-Any": secret } })
      expect(await answerTo(server, request)).not.toContain("script")
    }
  })
})

describe("R2: what is no upgrade request", () => {
  it.each([
    ["a request for a page", { headers: { Connection: "close", Upgrade: undefined } }],
    ["an Upgrade that the connection does not name", { headers: { Connection: "close" } }],
  ])("goes to the server's own listener: %s", async (_, parts) => {
    const server = await startAttached()
    expect(await answerTo(server, upgradeRequest(parts))).toMatch(/^HTTP\/1.1 200 OK\r\n.*hello$/s)
  })

  const random = seededRandom(7)
  const noise = Buffer.from(Array.from({ length: 2_000 }, () => Math.floor(random() * 256)))
  it.each([
    ["random bytes", noise],
    [
      "a request with random bytes in its head",
      Buffer.concat([Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n"), noise]),
    ],
    ["no method", "/ HTTP/1.1\r\n\r\n"],
    ["a protocol that is not HTTP", upgradeRequest().replace("HTTP/1.1", "ICAP/1.0")],
    ["a target with a space", upgradeRequest({ target: "/a b" })],
    ["a header without a colon", upgradeRequest().replace("Host: ", "Host")],
    ["a null in a header", upgradeRequest({ headers: { Cookie: "a\0b" } })],
    ["the first bytes of TLS", Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00])],
    ["a frame with no handshake", textFrame("hello")],
    ["a head without an end", upgradeRequest({ headers: { Cookie: "x".repeat(100_000) } })],
  ])("is answered by Node's own 4xx: %s", async (_, bytes) => {
    const server = await startAttached()
    expect(await answerTo(server, bytes)).toMatch(/^HTTP\/1.1 4\d\d /)
    await expectAlive(server)
  })

  it.each([
    ["nothing at all", ""],
    ["half a request line", "GET / HT"],
    ["half a head", upgradeRequest().slice(0, -10)],
  ])("ends with its client: %s", async (_, bytes) => {
    const server = await startAttached()
    const raw = await RawClient.open(server)
    raw.socket.end(bytes)
    await raw.ended()
    await server.idle()
    expect(server.hub.size).toBe(0)
    await expectAlive(server)
  })
})

describe("R2: where authenticate lets everybody in, an upgrade request that is no handshake", () => {
  it.each(NO_HANDSHAKE)("is answered by a 4xx and never added: %s", async (_, status, parts) => {
    const server = await startAttached({ authenticate: async () => ({ userId: "u1" }) })
    expect(await answerTo(server, upgradeRequest(parts))).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  })
})

describe("a handshake of an unusual form", () => {
  it.each<[string, RequestParts]>([
    ["several words in Connection", { headers: { Connection: "keep-alive, Upgrade" } }],
    ["another case of the words", { headers: { Upgrade: "WebSocket", Connection: "upgrade" } }],
    ["another case of the names", { headers: { Upgrade: undefined, UPGRADE: "websocket" } }],
    ["an extension that nobody knows", { headers: { "Sec-WebSocket-Extensions": "x-unknown; a=1" } }],
  ])("is taken: %s", async (_, parts) => {
    const server = await startAttached()
    const raw = await RawClient.open(server)
    raw.socket.write(upgradeRequest(parts))
    expect(await raw.status()).toBe(101)
    expect(server.hub.size).toBe(1)
  })
})

describe("R2: a request that Node and ws let through", () => {
  it.each<[string, RequestParts]>([
    ["HTTP/1.0", { version: "1.0" }],
    ["no Host", { headers: { Host: undefined } }],
    ["two Hosts", { headers: { Host: "one.example", host: "two.example" } }],
    ["a body with a length", { headers: { "Content-Length": "5" }, body: "hello" }],
    ["a body in chunks", { headers: { "Transfer-Encoding": "chunked" }, body: "5\r\nhello\r\n0\r\n\r\n" }],
    ["version 8 of the protocol", { headers: { [VERSION]: "8" } }],
  ])("is a connection or a 4xx, and nothing is left once it has ended: %s", async (_, parts) => {
    const server = await startAttached()
    const raw = await RawClient.open(server)
    raw.socket.write(upgradeRequest(parts))
    const status = await raw.status()
    expect(status === 101 || (status >= 400 && status < 500)).toBe(true)
    raw.socket.destroy()
    await server.idle()
    expect([server.hub.size, server.errors.size]).toEqual([0, 0])
    await expectAlive(server)
  })
})
