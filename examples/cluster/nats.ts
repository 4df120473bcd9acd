/**
 * Two nodes over NATS: `npm run demo:nats`, with a server at `NATS_URL`. examples/compose.yaml starts one.
 */

import { connect } from "@nats-io/transport-node"
import { nats } from "holdfast/adapters/nats"
import { twoNodes } from "./two-nodes.js"

const { NATS_URL = "nats://127.0.0.1:4222" } = process.env

await twoNodes(import.meta.url, `NATS at ${NATS_URL}`, () =>
  nats((options) => connect({ servers: NATS_URL, ...options })),
)
