import { describe, expect, it, vi } from "vitest"
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

/** What is no handshake, and how it is answered: RFC 6455, section 4.2.1, item by item. */
const NO_HANDSHAKE: readonly [what: string, status: number, parts: RequestParts][] = [
  ["HTTP/1.0", 400, { version: "1.0" }],
  ["no Host", 400, { headers: { Host: undefined } }],
  ["two Hosts", 400, { headers: { Host: "one.example", host: "two.example" } }],
  ["the same Host twice", 400, { headers: { Host: "one.example", host: "one.example" } }],
  ["a body with a length", 400, { headers: { "Content-Length": "5" }, body: "hello" }],
  ["a body to come", 400, { headers: { "Content-Length": "5" } }],
  ["a body in chunks", 400, { headers: { "Transfer-Encoding": "chunked" }, body: "5\r\nhello\r\n0\r\n\r\n" }],
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
  ["no version", 426, { headers: { [VERSION]: undefined } }],
  ["an old version", 426, { headers: { [VERSION]: "7" } }],
  ["the last version before the standard", 426, { headers: { [VERSION]: "8" } }],
  ["a version to come", 426, { headers: { [VERSION]: "14" } }],
  ["a version that is no number", 426, { headers: { [VERSION]: "thirteen" } }],
  ["a version in another form", 426, { headers: { [VERSION]: "0x0d" } }],
  ["two versions", 426, { headers: { [VERSION]: "13, 8" } }],
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

  it("is told which version is spoken, and which methods there are", async () => {
    const server = await startAttached()
    const answer = await answerTo(server, upgradeRequest({ headers: { [VERSION]: "7" } }))
    expect(answer).toContain(`${VERSION}: 13\r\n`)
    expect(answer).toMatch(/\r\nUpgrade: websocket\r\n/)
    expect(answer).toMatch(/\r\nConnection: close, Upgrade\r\n/)
    expect(await answerTo(server, upgradeRequest({ method: "POST" }))).toContain("Allow: GET\r\n")
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

describe("R2: an upgrade request that is no handshake", () => {
  it.each(NO_HANDSHAKE)("is refused before authenticate is asked: %s", async (_, status, parts) => {
    const authenticate = vi.fn()
    const server = await startAttached({ authenticate })
    expect(await answerTo(server, upgradeRequest(parts))).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(await server.refused.next()).toMatchObject({ status, check: "request" })
    expect(authenticate).not.toHaveBeenCalled()
  })
})

describe("R2: an offer of compression that nobody can agree to", () => {
  it.each([
    ["authenticate lets in", {}],
    ["authenticate refuses by a close code", { status: 403, closeCode: 4403 }],
  ])("is a 400 that is told, also of whom %s", async (_, admission) => {
    const options = { authenticate: () => admission, limits: { connections: 1 } }
    const server = await startAttached(options, { hub: { compression: "shared" } })
    const offer = "permessage-deflate; server_max_window_bits=7"
    for (let round = 0; round < 2; round += 1) {
      const request = upgradeRequest({ headers: { "Sec-WebSocket-Extensions": offer } })
      expect(await answerTo(server, request)).toMatch(/^HTTP\/1.1 400 /)
      expect(await server.refused.next()).toMatchObject({ status: 400, check: "request" })
    }
  })
})

describe("a handshake of an unusual form", () => {
  it.each<[string, RequestParts]>([
    ["several words in Connection", { headers: { Connection: "keep-alive, Upgrade" } }],
    ["another case of the words", { headers: { Upgrade: "WebSocket", Connection: "upgrade" } }],
    ["another case of the names", { headers: { Upgrade: undefined, UPGRADE: "websocket" } }],
    ["an extension that nobody knows", { headers: { "Sec-WebSocket-Extensions": "x-unknown; a=1" } }],
    ["extensions that are no list", { headers: { "Sec-WebSocket-Extensions": ";;,=" } }],
    ["a body of no bytes", { headers: { "Content-Length": "0" } }],
    ["an absolute target", { target: "http://127.0.0.1/" }],
    ["an absolute target that names another host", { target: "https://app.example:8443/?a=b" }],
    ["an absolute target without a path", { target: "http://app.example" }],
    ["several subprotocols", { headers: { "Sec-WebSocket-Protocol": "a,b ,\tc" } }],
  ])("is taken: %s", async (_, parts) => {
    const server = await startAttached()
    const raw = await RawClient.open(server)
    raw.socket.write(upgradeRequest(parts))
    expect(await raw.status()).toBe(101)
    expect(server.hub.size).toBe(1)
  })
})
