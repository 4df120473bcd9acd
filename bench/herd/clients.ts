/**
 * How reconnecting clients wait between tries, by default: ours by the policy it really has, the others by the formula
 * that their published sources contain. They are told that time passes; none of them opens a socket.
 */

import { resolveClient } from "../../src/client/client-options.js"
import { ReconnectPolicy } from "../../src/client/reconnect-policy.js"

/** Numbers on [0, 1). */
export type Random = () => number

/** One client between its connections. */
export interface Retries {
  /** How long it waits before the next try, in milliseconds; `undefined` when it gives up. */
  next(): number | undefined
  /** A connection has lasted as long as it takes for the count of tries to begin anew. */
  reset(): void
}

/** A library, and how its clients behave. */
export interface HerdClient {
  readonly title: string
  readonly version: string
  /** The formula in words, and where it stands in the published package. */
  readonly formula: string
  readonly source: string
  /** How long a connection must last for the count to begin anew; `false` where time does not decide it. */
  readonly resetsAfterMs: number | false
  readonly isOurs?: boolean
  /** One client of the crowd. */
  start(random: Random): Retries
}

/** The delay before retry number `tries`, counted from 0. */
type Delay = (tries: number) => number | undefined

function counted(delay: Delay): Retries {
  let tries = 0
  return {
    next: () => {
      const ms = delay(tries)
      tries += 1
      return ms
    },
    reset: () => {
      tries = 0
    },
  }
}

const defaults = resolveClient<unknown, unknown>("ws://localhost", {})

const holdfast: HerdClient = {
  title: "holdfast",
  version: "",
  formula: "random(100, min(30 s, 2 s · 2ⁿ)), drawn for every try",
  source: "src/client/reconnect-policy.ts",
  resetsAfterMs: defaults.stableAfterMs,
  isOurs: true,
  start(random) {
    const backoff = { ...defaults.policy.backoff, random }
    const policy = new ReconnectPolicy({ ...defaults.policy, backoff }, (error) => {
      throw error
    })
    return {
      next: () => {
        const verdict = policy.decide({ code: 1006, reason: "", wasOpen: true })
        return "stop" in verdict ? undefined : verdict.delayMs
      },
      reset: () => policy.reset(),
    }
  },
}

const socketIo: HerdClient = {
  title: "socket.io-client",
  version: "4.8.4",
  formula: "1 s · 2ⁿ ± 50 %, then cut to 5 s: at the cap always 5 s",
  source: "contrib/backo2.js, manager.js",
  resetsAfterMs: 0,
  start: (random) =>
    counted((tries) => {
      const ms = 1_000 * 2 ** tries
      const chance = random()
      const deviation = Math.floor(chance * 0.5 * ms)
      const isLess = (Math.floor(chance * 10) & 1) === 0
      return Math.trunc(Math.min(5_000, isLess ? ms - deviation : ms + deviation))
    }),
}

const centrifuge: HerdClient = {
  title: "centrifuge",
  version: "5.8.0",
  formula: "min(20 s, 500 + random(0, min(20 s, 500 · 2ⁿ)))",
  source: "index.js, `backoff`",
  resetsAfterMs: 0,
  start: (random) =>
    counted((tries) => {
      const most = Math.min(20_000, 500 * 2 ** tries)
      return Math.min(20_000, 500 + Math.floor(random() * (most + 1)))
    }),
}

const convex: HerdClient = {
  title: "convex",
  version: "1.48.0",
  formula: "min(16 s, 1 s · 2ⁿ) ± 50 %",
  source: "browser/sync/web_socket_manager.js, `nextBackoff`",
  resetsAfterMs: false,
  start: (random) =>
    counted((tries) => {
      const ms = Math.min(16_000, 1_000 * 2 ** tries)
      return ms + ms * (random() - 0.5)
    }),
}

const atproto: HerdClient = {
  title: "@atproto/ws-client",
  version: "0.2.1",
  formula: "1 s · 2ⁿ ± 500 ms, then cut to 64 s",
  source: "lib/reconnect-policy.js, `backoffMs`",
  resetsAfterMs: 0,
  start: (random) => counted((tries) => Math.min(64_000, 1_000 * (2 ** tries + random() - 0.5))),
}

const reconnectingWebSocket: HerdClient = {
  title: "reconnecting-websocket",
  version: "4.4.0",
  formula: "min(10 s, m · 1.3ⁿ), m = 1 s + random(0, 4 s), drawn once when the module loads",
  source: "reconnecting-websocket.mjs, `_getNextDelay`",
  resetsAfterMs: 5_000,
  start: (random) => {
    const least = 1_000 + random() * 4_000
    return counted((tries) => Math.min(10_000, least * 1.3 ** tries))
  },
}

const graphqlWs: HerdClient = {
  title: "graphql-ws",
  version: "6.4.2",
  formula: "1 s · 2ⁿ + random(300, 3000), five times",
  source: "client.js, `randomisedExponentialBackoff`",
  resetsAfterMs: 0,
  start: (random) =>
    counted((tries) => (tries < 5 ? 1_000 * 2 ** tries + Math.floor(random() * 2_700 + 300) : undefined)),
}

const partysocket: HerdClient = {
  title: "partysocket",
  version: "1.3.0",
  formula: "min(10 s, 3 s · 1.3ⁿ)",
  source: "ws.js, `_getNextDelay`",
  resetsAfterMs: 5_000,
  start: () => counted((tries) => Math.min(10_000, 3_000 * 1.3 ** tries)),
}

const SIGNALR_MS = [0, 2_000, 10_000, 30_000]

const signalr: HerdClient = {
  title: "@microsoft/signalr",
  version: "10.0.11",
  formula: "0, 2, 10, 30 s, then no more (`withAutomaticReconnect()`)",
  source: "DefaultReconnectPolicy.js",
  resetsAfterMs: 0,
  start: () => counted((tries) => SIGNALR_MS[tries]),
}

const trpc: HerdClient = {
  title: "@trpc/client",
  version: "11.25.2",
  formula: "0, then min(30 s, 1 s · 2ⁿ)",
  source: "links/wsLink/wsClient/options.ts, `exponentialBackoff`",
  resetsAfterMs: 0,
  start: () => counted((tries) => (tries === 0 ? 0 : Math.min(30_000, 1_000 * 2 ** tries))),
}

const PHOENIX_MS = [10, 50, 100, 150, 200, 250, 500, 1_000, 2_000]

const phoenix: HerdClient = {
  title: "phoenix",
  version: "1.8.16",
  formula: "10, 50, 100, 150, 200, 250, 500, 1000, 2000 ms, then 5 s",
  source: "assets/js/phoenix/socket.js, `reconnectAfterMs`",
  resetsAfterMs: 0,
  start: () => counted((tries) => PHOENIX_MS[tries] ?? 5_000),
}

/** Ours first. */
export const HERD_CLIENTS: readonly HerdClient[] = [
  holdfast,
  reconnectingWebSocket,
  graphqlWs,
  atproto,
  convex,
  socketIo,
  centrifuge,
  partysocket,
  signalr,
  trpc,
  phoenix,
]
