/**
 * What Redis can do, of both kinds of channels.
 */

import type { BusCapabilities } from "../relay/bus.js"

/** `proto-max-bulk-len` of Redis is 512 MiB; one message of that size would be no message. */
const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024

/** Capabilities of classic and of sharded Pub/Sub. */
export const REDIS_CAPABILITIES: BusCapabilities = Object.freeze({
  interest: "channel",
  maxPayloadBytes: MAX_PAYLOAD_BYTES,
})
