/**
 * What the programs of the comparison are told, and the messages they send.
 */

/** Who carries messages between the two nodes. */
export type Carrier = "redis" | "ioredis" | "nats" | "kafka" | "cluster"

/** A node. */
export interface RemoteSettings {
  readonly carrier: Carrier
  /** The port of the broker; 0 where there is none. */
  readonly brokerPort: number
}

/** The room that the other node's member is in. */
export const ROOM = "prices"

/** Message number so many: a hundred characters. */
export function messageOf(serial: number): string {
  return `${serial} `.padEnd(100, ".")
}
