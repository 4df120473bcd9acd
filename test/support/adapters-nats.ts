/**
 * NATS for tests: a real server, and adapters at it.
 */

import { connect } from "@nats-io/transport-node"
import type { Adapter } from "holdfast"
import { nats } from "holdfast/adapters/nats"
import { ensureProgram } from "../../scripts/debian-packages.js"
import type { EngineKind } from "./adapters-engine.js"

/** A NATS server that keeps nothing. */
export function natsServer(): EngineKind {
  return {
    program: ensureProgram("nats-server", "nats-server"),
    args: (port) => ["--addr", "127.0.0.1", "--port", `${port}`],
    ready: /Server is ready/,
  }
}

/** Shorter times than the defaults, so that silence is found while a test waits. */
export function natsAdapter(url: string): Adapter {
  return nats((options) => connect({ servers: url, ...options }), { silenceMs: 1_500, markMs: 500 })
}
