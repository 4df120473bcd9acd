import { type BadInput, describeBadInput } from "../../support/bad-input.js"
import { text } from "../../support/client-frames.js"
import { type RequestParts, upgradeRequest } from "../../support/server-raw.js"

const KEY = "Sec-WebSocket-Key"
const VERSION = "Sec-WebSocket-Version"
const PROTOCOL = "Sec-WebSocket-Protocol"

const good = upgradeRequest()
const get = good.split("\r\n")[0] as string

type Row = readonly [what: string, rule: string, request: RequestParts | string, status: number]

/** A request with one more header line, as it stands. */
const withLine = (line: string) => good.replace("Upgrade: websocket\r\n", `Upgrade: websocket\r\n${line}\r\n`)

const startLine: readonly Row[] = [
  ["HTTP/1.0", "RFC 6455, 4.2.1, 1", { version: "1.0" }, 400],
  ["HTTP/1.2", "RFC 9112, 2.3", { version: "1.2" }, 400],
  ["HTTP/2.0 in the first line", "RFC 9112, 2.3", { version: "2.0" }, 400],
  ["HTTP/0.9", "RFC 9112, 2.3", { version: "0.9" }, 400],
  ["the preface of HTTP/2", "RFC 9113, 3.4", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
  ["no version of HTTP", "RFC 9112, 3", good.replace(" HTTP/1.1", ""), 400],
  ["a method in lower case", "RFC 9110, 9.1", { method: "get" }, 400],
  ["a method nobody knows", "RFC 9110, 9.1", { method: "YANK" }, 400],
  ["POST", "RFC 6455, 4.2.1, 1", { method: "POST" }, 405],
  ["PUT", "RFC 6455, 4.2.1, 1", { method: "PUT" }, 405],
  ["TRACE", "RFC 6455, 4.2.1, 1", { method: "TRACE" }, 405],
  ["a target with a space", "RFC 9112, 3.2", { target: "/a b" }, 400],
  ["a target with a null", "RFC 9112, 3.2", { target: "/a\0b" }, 400],
  ["a target that is not there", "RFC 9112, 3", good.replace("GET / ", "GET  "), 400],
  ["an asterisk for a target", "RFC 9112, 3.2.4", { target: "*" }, 404],
]

const headers: readonly Row[] = [
  ["no Host", "RFC 9112, 3.2", { headers: { Host: undefined } }, 400],
  ["two Hosts", "RFC 9112, 3.2", withLine("Host: other.example"), 400],
  ["no key", "RFC 6455, 4.2.1, 5", { headers: { [KEY]: undefined } }, 400],
  ["a key of 15 bytes", "RFC 6455, 4.2.1, 5", { headers: { [KEY]: "dGhlIHNhbXBsZSBub24=" } }, 400],
  [
    "a key of 24 characters that are no base64",
    "RFC 6455, 4.2.1, 5",
    { headers: { [KEY]: "!".repeat(24) } },
    400,
  ],
  ["a key of base64url", "RFC 6455, 4.2.1, 5", { headers: { [KEY]: "dGhlIHNhbXBsZSBub25j-_==" } }, 400],
  ["two keys", "RFC 6455, 11.3.1", withLine(`${KEY}: dGhlIHNhbXBsZSBub25jZQ==`), 400],
  ["no version", "RFC 6455, 4.2.1, 6", { headers: { [VERSION]: undefined } }, 426],
  ["version 0", "RFC 6455, 4.4", { headers: { [VERSION]: "0" } }, 426],
  ["version 8", "RFC 6455, 4.4", { headers: { [VERSION]: "8" } }, 426],
  ["version 25", "RFC 6455, 4.4", { headers: { [VERSION]: "25" } }, 426],
  ["version 13.0", "RFC 6455, 4.4", { headers: { [VERSION]: "13.0" } }, 426],
  ["version +13", "RFC 6455, 4.4", { headers: { [VERSION]: "+13" } }, 426],
  ["the version twice", "RFC 6455, 11.3.5", withLine(`${VERSION}: 13`), 426],
  ["an Upgrade to h2c", "RFC 6455, 4.2.1, 3", { headers: { Upgrade: "h2c" } }, 400],
  ["an Upgrade to two things", "RFC 6455, 4.2.1, 3", { headers: { Upgrade: "websocket, h2c" } }, 400],
  ["a subprotocol with a space", "RFC 6455, 4.1, 10", { headers: { [PROTOCOL]: "a b" } }, 400],
  ["a subprotocol in quotes", "RFC 6455, 4.1, 10", { headers: { [PROTOCOL]: '"a"' } }, 400],
  ["the same subprotocol twice", "RFC 6455, 4.1, 10", { headers: { [PROTOCOL]: "a, b, a" } }, 400],
  [
    "a list of subprotocols that ends with a comma",
    "RFC 6455, 4.1, 10",
    { headers: { [PROTOCOL]: "a," } },
    400,
  ],
  ["a space before a colon", "RFC 9112, 5.1", withLine("X-Any : 1"), 400],
  ["a header without a colon", "RFC 9112, 5", withLine("X-Any"), 400],
  ["a header without a name", "RFC 9112, 5", withLine(": 1"), 400],
  ["a null in a header", "RFC 9110, 5.5", withLine("X-Any: a\0b"), 400],
  ["a lone CR in a header", "RFC 9110, 5.5", withLine("X-Any: a\rb"), 400],
  ["a header of 20 KiB", "maxHeaderSize", withLine(`X-Any: ${"x".repeat(20_480)}`), 431],
  ["a target of 20 KiB", "maxHeaderSize", { target: `/${"x".repeat(20_480)}` }, 431],
  [
    "headers of 20 KiB in all",
    "maxHeaderSize",
    withLine("X-Any: xxxxxxxxxxxxxxxxxxxx\r\n".repeat(1_000).trimEnd()),
    431,
  ],
]

const bodies: readonly Row[] = [
  ["a body", "RFC 6455, 4.2.1", { headers: { "Content-Length": "5" }, body: "hello" }, 400],
  [
    "a body in chunks",
    "RFC 6455, 4.2.1",
    { headers: { "Transfer-Encoding": "chunked" }, body: "0\r\n\r\n" },
    400,
  ],
  ["a length and chunks", "RFC 9112, 6.3", withLine("Content-Length: 5\r\nTransfer-Encoding: chunked"), 400],
  ["two lengths", "RFC 9112, 6.3", withLine("Content-Length: 5\r\nContent-Length: 6"), 400],
  ["a negative length", "RFC 9110, 8.6", withLine("Content-Length: -1"), 400],
  ["a length that is no number", "RFC 9110, 8.6", withLine("Content-Length: five"), 400],
  ["a length in another form", "RFC 9110, 8.6", withLine("Content-Length: 0x5"), 400],
]

const places: readonly Row[] = [
  ["a path that nobody knows", "path", { target: "/other" }, 404],
  ["a path with two slashes", "path", { target: "//" }, 404],
  ["a path that climbs", "path", { target: "/../" }, 404],
  ["a path that is percent-encoded", "path", { target: "/%2e" }, 404],
  ["another origin", "RFC 6455, 10.2", { headers: { Origin: "https://evil.example" } }, 403],
  ["an opaque origin", "RFC 6455, 10.2", { headers: { Origin: "null" } }, 403],
  ["an empty origin", "RFC 6455, 10.2", { headers: { Origin: "" } }, 403],
  [
    "an origin that begins like ours",
    "RFC 6455, 10.2",
    { headers: { Origin: "http://127.0.0.1.evil.example" } },
    403,
  ],
  [
    "an origin with our address for a user",
    "RFC 6455, 10.2",
    { headers: { Origin: "http://127.0.0.1@evil.example" } },
    403,
  ],
  ["an origin with a path", "RFC 6455, 10.2", { headers: { Origin: "http://127.0.0.1/page" } }, 403],
]

const taken: readonly (readonly [string, string, RequestParts | string])[] = [
  ["two spaces in the first line", "RFC 9112, 3", good.replace("GET /", "GET  /")],
  ["an empty line before the request", "RFC 9112, 2.2", `\r\n${good}`],
  ["names of headers in another case", "RFC 9110, 5.1", good.replace(KEY, KEY.toUpperCase())],
  ["no space behind a colon", "RFC 9112, 5.1", good.replaceAll(": ", ":")],
  ["much space behind a colon", "RFC 9112, 5.1", good.replaceAll(": ", ":  \t ")],
  ["several words in Connection", "RFC 9110, 7.6.1", { headers: { Connection: "keep-alive,  uPgRaDe" } }],
  ["the origin of its own host", "RFC 6455, 10.2", { headers: { Origin: "http://127.0.0.1" } }],
  ["a query", "RFC 6455, 4.1, 2", { target: "/?a=b&c" }],
  ["an absolute target", "RFC 9112, 3.2.2", { target: "http://127.0.0.1/" }],
]

describeBadInput("R1: handshakes", [
  ...[...startLine, ...headers, ...bodies, ...places].map(
    ([what, rule, request, status]): BadInput => ({ what, rule, request, outcome: { status } }),
  ),
  ...taken.map(
    ([what, rule, request]): BadInput => ({ what, rule, request, frames: [text("hi")], outcome: ["hi"] }),
  ),
  {
    what: "a second request behind the first",
    rule: "RFC 6455, 5.1",
    frames: [Buffer.from(good)],
    outcome: { close: 1002 },
  },
  {
    what: "no Connection: Upgrade, which makes it any request",
    rule: "RFC 6455, 4.2.1, 4",
    request: { headers: { Connection: "close" } },
    outcome: { status: 200 },
  },
  {
    what: "no Upgrade, which makes it any request",
    rule: "RFC 6455, 4.2.1, 3",
    request: `${get}\r\nHost: a\r\nConnection: close\r\n\r\n`,
    outcome: { status: 200 },
  },
])
