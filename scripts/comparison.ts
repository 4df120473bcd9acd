/**
 * What the README says of other libraries, cell by cell, each with where it can be seen in what that library publishes.
 * Knows nothing of how it is shown.
 */

/** Something that must, or must not, stand in a file of an installed package, or a promise of this one. */
export type Evidence =
  | { readonly file: string; readonly has: RegExp }
  | { readonly file: string; readonly lacks: RegExp }
  | { readonly promise: string }

/** One cell: what is said, and why it may be said. */
type Cell = readonly [text: string, ...evidence: Evidence[]]

/** One table: a row is a feature, a column a library. */
export interface Comparison {
  /** Packages in the order of the columns, this one first; their versions are those that are installed. */
  readonly packages: readonly string[]
  readonly rows: ReadonlyMap<string, readonly Cell[]>
}

const has = (file: string, pattern: RegExp): Evidence => ({ file, has: pattern })
const lacks = (file: string, pattern: RegExp): Evidence => ({ file, lacks: pattern })
const promise = (line: string): Evidence => ({ promise: line })

const ENGINE = "engine.io/build/server.js"
const IO_ADAPTER = "socket.io-adapter/dist/in-memory-adapter.js"
const CROSSWS = "crossws/dist/_chunks/node.mjs"
const WS_SERVER = "ws/lib/websocket-server.js"
const PARTY = "partysocket/dist/ws.js"
const RWS = "reconnecting-websocket/dist/reconnecting-websocket-mjs.js"
const IO_CLIENT = "socket.io-client/build/esm/manager.js"
const ENGINE_CLIENT = "engine.io-client/build/esm/socket.js"
const GRAPHQL = "graphql-ws/dist/client.js"

const PAGE_EVENTS = /visibilitychange|pageshow|["']resume["']|addEventListener\(["']online/

/** Servers. */
export const servers: Comparison = {
  packages: ["holdfast", "ws", "socket.io", "crossws"],
  rows: new Map<string, readonly Cell[]>([
    [
      "clients that can connect",
      [
        ["any WebSocket", promise("S1")],
        ["any WebSocket", has("ws/README.md", /simple to use.*WebSocket client and/i)],
        ["its own, in many languages", has("engine.io/build/server.js", /EIO/)],
        ["any WebSocket", has(CROSSWS, /handleUpgrade/)],
      ],
    ],
    [
      "where WebSocket is blocked",
      [
        ["no", lacks("../src/server/attach.ts", /polling/)],
        ["no", lacks(WS_SERVER, /polling/)],
        ["**long polling, WebTransport**", has("engine.io/build/transports/index.js", /webtransport/)],
        [
          "**server-sent events**, by an adapter",
          has("crossws/dist/adapters/sse.mjs", /EventSource|event-stream/),
        ],
      ],
    ],
    [
      "rooms",
      [
        ["yes", promise("S60")],
        ["no", lacks(WS_SERVER, /rooms|topics/)],
        ["yes", has(IO_ADAPTER, /this\.rooms = new Map/)],
        [
          "topics; a send looks at every peer",
          has(CROSSWS, /for \(const peer of .*peers\).*_topics\.has\(topic\)/),
        ],
      ],
    ],
    [
      "a broadcast is framed",
      [
        ["once", promise("S10")],
        ["for each receiver", has("ws/lib/websocket.js", /this\._sender\.send\(/)],
        ["once, if text and uncompressed", has(IO_ADAPTER, /WebSocket\.Sender\.frame/)],
        ["for each receiver", has(CROSSWS, /peer\._internal\.ws\.send\(/)],
      ],
    ],
    [
      "a burst to a connection takes",
      [
        ["one write", promise("S11")],
        ["a write for each message", has("ws/lib/sender.js", /this\._socket\.uncork\(\)/)],
        ["a write for each message", has("engine.io/build/transports/websocket.js", /_sender\.sendFrame\(/)],
        ["a write for each message", has(CROSSWS, /ws\.send\(dataBuff/)],
      ],
    ],
    [
      "a broadcast is compressed",
      [
        ["once", promise("S13")],
        ["for each receiver", has("ws/lib/sender.js", /perMessageDeflate\.compress\(/)],
        ["for each receiver", has("engine.io/build/transports/websocket.js", /perMessageDeflate/)],
        ["for each receiver", has(CROSSWS, /compress: options\?\.compress \?\? true/)],
      ],
    ],
    [
      "a slow reader",
      [
        ["has a limit, one of four policies, and is told its losses", promise("S20"), promise("S21")],
        ["`bufferedAmount`, for you to look at", has("ws/lib/websocket.js", /get bufferedAmount/)],
        ["no limit; `volatile` messages are skipped", has("socket.io/dist/socket.js", /get volatile/)],
        ["`waitForDrain()`, for you to call", has("crossws/dist/_chunks/peer.mjs", /waitForDrain/)],
      ],
    ],
    [
      "heartbeat",
      [
        ["15 s, pings spread over the interval", promise("S30"), promise("S31")],
        ["a recipe in its README", has("ws/README.md", /How to detect and close broken connections/i)],
        ["25 s", has(ENGINE, /pingInterval: 25000/)],
        ["30 s, all pings at once", has(CROSSWS, /idleTimeout \?\? 30/)],
      ],
    ],
    [
      "pages of other origins",
      [
        ["refused unless listed", promise("S42")],
        ["let in", lacks(WS_SERVER, /\.headers\.host\b/)],
        ["let in, `cors` is about polling", lacks(ENGINE, /headers\.origin !==?|headers\.host\b/)],
        ["let in", lacks(CROSSWS, /headers\.origin|headers\.host\b/)],
      ],
    ],
    [
      "limits of connections and of rates",
      [
        ["yes", promise("S43"), promise("S44")],
        ["of message size", has(WS_SERVER, /maxPayload/), lacks(WS_SERVER, /maxConnections/)],
        ["of message size", has(ENGINE, /maxHttpBufferSize/), lacks(ENGINE, /maxConnections/)],
        ["those of `ws`", has(CROSSWS, /serverOptions/), lacks(CROSSWS, /maxConnections/)],
      ],
    ],
    [
      "several nodes",
      [
        ["Redis, NATS, Kafka, `cluster`", promise("A1")],
        ["no", lacks(WS_SERVER, /adapter/)],
        [
          "**more brokers**, as packages of their own",
          has("socket.io-adapter/dist/cluster-adapter.js", /class ClusterAdapter/),
        ],
        [
          "Redis, Postgres, `cluster`",
          has("crossws/dist/_chunks/adapter.d.mts", /pgsql[\s\S]*setupPrimaryCluster/),
        ],
      ],
    ],
    [
      "what was missed is sent again",
      [
        ["no: a gap is told and counted", promise("A2")],
        ["no", lacks(WS_SERVER, /recover|session/i)],
        [
          "**by option, for two minutes** ¹",
          has("socket.io/dist/index.js", /maxDisconnectionDuration: 2 \* 60 \* 1000/),
        ],
        ["no", lacks(CROSSWS, /recover|session/i)],
      ],
    ],
    [
      "messages that are answered",
      [
        ["yes, and JSON-RPC", promise("T5")],
        ["no", lacks("ws/lib/websocket.js", /emitWithAck/)],
        ["yes", has("socket.io/dist/socket.js", /emitWithAck/)],
        ["no", lacks("crossws/dist/_chunks/peer.mjs", /emitWithAck|\back\b/)],
      ],
    ],
    [
      "a server that is stopped",
      [
        ["closes over a window, with 1012, idle ones first", promise("S50")],
        ["leaves its clients open", lacks(WS_SERVER, /client\.(close|terminate)\(/)],
        [
          "closes all at once",
          has(
            "socket.io/dist/index.js",
            /sockets\.forEach\(\(socket\) => \{\s+socket\._onclose\("server shutting down"\)/,
          ),
        ],
        ["closes all at once", has(CROSSWS, /for \(const ws of liveSockets\) if \(force\)/)],
      ],
    ],
    [
      "server side runs on",
      [
        ["Node; Deno and Bun through `node:http`", has("../docs/runtimes.md", /Deno[\s\S]*Bun/)],
        ["Node", has("ws/package.json", /"node": ">=10/)],
        ["Node, Deno and Bun; µWebSockets.js", has("socket.io/dist/index.js", /attachApp\(/)],
        [
          "**Node, Deno, Bun, Cloudflare Workers** and others",
          has("crossws/dist/adapters/cloudflare.mjs", /./),
        ],
      ],
    ],
    [
      "metrics",
      [
        ["Prometheus, OpenTelemetry", promise("S53")],
        ["no", lacks(WS_SERVER, /prometheus|metrics/i)],
        ["`clientsCount`", has(ENGINE, /clientsCount/)],
        ["no", lacks(CROSSWS, /prometheus|metrics/i)],
      ],
    ],
  ]),
}

/** Clients. */
export const clients: Comparison = {
  packages: ["holdfast", "socket.io-client", "partysocket", "reconnecting-websocket", "graphql-ws"],
  rows: new Map<string, readonly Cell[]>([
    [
      "talks to",
      [
        ["any WebSocket server", promise("C4")],
        ["socket.io servers", has("engine.io-client/build/esm/socket.js", /EIO/)],
        ["any WebSocket server", has(PARTY, /new WebSocket|new WS\(/)],
        ["any WebSocket server", has(RWS, /new WebSocket\(/)],
        ["servers of its protocol", has(GRAPHQL, /GRAPHQL_TRANSPORT_WS_PROTOCOL/)],
      ],
    ],
    [
      "stands in for `WebSocket`",
      [
        ["`holdfast/compat`", promise("C39")],
        ["no", lacks("socket.io-client/build/esm/socket.js", /onmessage/)],
        ["yes", has(PARTY, /extends (?:TypedEventTarget|EventTarget)/)],
        ["yes", has(RWS, /this\.onmessage = null/)],
        ["no", lacks(GRAPHQL, /this\.onmessage/)],
      ],
    ],
    [
      "wait before a retry",
      [
        ["drawn anew, from 0.1 s to a bound of 2–30 s", promise("C1")],
        [
          "1–5 s, ± 50 %, none at the cap",
          has("socket.io-client/build/esm/contrib/backo2.js", /Math\.min\(ms, this\.max\)/),
        ],
        ["3–10 s, nothing drawn", has(PARTY, /minReconnectionDelay: 3e3/), lacks(PARTY, /Math\.random/)],
        [
          "1–10 s, drawn once for all sockets of a page",
          has(RWS, /minReconnectionDelay: 1000 \+ Math\.random\(\) \* 4000/),
        ],
        ["2ⁿ s + 0.3–3 s, no cap", has(GRAPHQL, /Math\.random\(\) \* \(3e3 - 300\) \+ 300/)],
      ],
    ],
    [
      "attempts in a row",
      [
        ["without end", promise("C4")],
        ["without end", has(IO_CLIENT, /reconnectionAttempts\(opts\.reconnectionAttempts \|\| Infinity\)/)],
        ["without end", has(PARTY, /maxRetries: Number\.POSITIVE_INFINITY/)],
        ["without end", has(RWS, /maxRetries: Infinity/)],
        ["5", has(GRAPHQL, /retryAttempts = 5/)],
      ],
    ],
    [
      "the count of attempts starts anew",
      [
        ["after 5 s open", promise("C3")],
        ["when it opens", has(IO_CLIENT, /this\.backoff\.reset\(\)/)],
        ["after 5 s open", has(PARTY, /minUptime: 5e3/)],
        ["after 5 s open", has(RWS, /minUptime: 5000/)],
        ["when the server acknowledges", has(GRAPHQL, /retries = 0/)],
      ],
    ],
    [
      "an attempt may take",
      [
        ["10 s, your `url` function included", promise("C6")],
        ["20 s", has(IO_CLIENT, /\? 20000 : opts\.timeout/)],
        ["4 s; a `url` function: for ever", has(PARTY, /connectionTimeout: 4e3/)],
        ["4 s; a `url` function: for ever", has(RWS, /connectionTimeout: 4000/)],
        ["for ever, by default", has(GRAPHQL, /connectionAckWaitTimeout = 0/)],
      ],
    ],
    [
      "the server's word: close codes, `Retry-After`",
      [
        ["yes", promise("C9")],
        ["its own disconnect ends it", has("socket.io-client/build/esm/socket.js", /io server disconnect/)],
        ["`shouldReconnectOnClose`, yours", has(PARTY, /shouldReconnectOnClose/)],
        ["no", lacks(RWS, /shouldReconnectOnClose|retryAfter/i)],
        ["fixed lists of codes end it", has(GRAPHQL, /isFatalInternalCloseCode/)],
      ],
    ],
    [
      "a dead line is noticed",
      [
        ["in 20 s ²", promise("C12")],
        ["in 45 s", has(ENGINE_CLIENT, /this\._pingInterval \+ this\._pingTimeout/)],
        ["no", lacks(PARTY, /\bping\b|heartbeat/i)],
        ["no", lacks(RWS, /\bping\b|heartbeat/i)],
        ["no; `keepAlive` pings, you judge", has(GRAPHQL, /keepAlive = 0/)],
      ],
    ],
    [
      "a page that wakes up",
      [
        ["line is tested, waits end", promise("C13"), promise("C15"), promise("C16")],
        [
          "closes at `offline`",
          has(ENGINE_CLIENT, /addEventListener\("offline"/),
          lacks(ENGINE_CLIENT, PAGE_EVENTS),
        ],
        ["no", lacks(PARTY, PAGE_EVENTS)],
        ["no", lacks(RWS, PAGE_EVENTS)],
        ["no", lacks(GRAPHQL, PAGE_EVENTS)],
      ],
    ],
    [
      "messages sent while it is down",
      [
        ["wait: 1,024, 1 MiB, and what you say of each", promise("C20"), promise("C22")],
        [
          "wait, without limit; or `volatile`",
          has("socket.io-client/build/esm/socket.js", /this\.sendBuffer\.push\(packet\)/),
        ],
        [
          "wait, without limit unless you give a count",
          has(PARTY, /maxEnqueuedMessages: Number\.POSITIVE_INFINITY/),
        ],
        ["wait, without limit unless you give a count", has(RWS, /maxEnqueuedMessages: Infinity/)],
        ["subscriptions are made again", has(GRAPHQL, /subscribe\(/)],
      ],
    ],
    [
      "proof of arrival",
      [
        ["at the peer's stack, in front of any server", promise("C23")],
        [
          "**by the peer's program, with retries**",
          has("socket.io-client/build/esm/socket.js", /this\._opts\.retries/),
        ],
        ["no", lacks(PARTY, /\back\b/i)],
        ["no", lacks(RWS, /\back\b/i)],
        ["by the result", has(GRAPHQL, /MessageType\.Complete/)],
      ],
    ],
    [
      "React hooks",
      [
        ["no; a [recipe](docs/recipes/react.md)", lacks("../src/index.ts", /\buse[A-Z]/)],
        ["no", lacks("socket.io-client/build/esm/index.js", /\buse[A-Z]/)],
        ["**yes**", has("partysocket/dist/react.js", /useWebSocket/)],
        ["no", lacks(RWS, /\buse[A-Z][a-z]+\(/)],
        ["no", lacks(GRAPHQL, /\buse[A-Z][a-z]+\(/)],
      ],
    ],
  ]),
}

/** How each client is imported where its weight is compared. */
export const clientImports: ReadonlyMap<string, readonly [clause: string, from: string]> = new Map([
  ["holdfast", ["{ ReconnectingClient }", "holdfast"]],
  ["socket.io-client", ["{ io }", "socket.io-client"]],
  ["partysocket", ["{ WebSocket }", "partysocket"]],
  ["reconnecting-websocket", ["{ default }", "reconnecting-websocket"]],
  ["graphql-ws", ["{ createClient }", "graphql-ws"]],
])
