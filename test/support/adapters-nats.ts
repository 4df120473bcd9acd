/**
 * NATS for tests: a real server, and adapters at it.
 */

import { connect } from "@nats-io/transport-node"
import type { Adapter } from "holdfast"
import { type NatsAdapterOptions, nats } from "holdfast/adapters/nats"
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

/** An adapter at a server. */
export function natsAdapter(url: string, options: NatsAdapterOptions): Adapter {
  return nats((connecting) => connect({ servers: url, ...connecting }), options)
}
