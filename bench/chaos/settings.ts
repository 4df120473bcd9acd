/**
 * What the programs of the trial are told, and what they answer.
 */

import type { ChaosCarrier } from "./engines.js"
import type { Heard } from "./ledger.js"

/** A node. */
export interface NodeSettings {
  /** Its name as a publisher: another after each start. */
  readonly name: string
  readonly port: number
  readonly carrier: ChaosCarrier
  readonly brokerPort: number
  readonly rooms: number
  /** It publishes to one room in each such time, in milliseconds. */
  readonly everyMs: number
  readonly markMs: number
  /** The file in which it keeps how much it has published, so that this outlives it. */
  readonly diary: string
}

/** What a node has heard from others. */
export interface NodeReport {
  readonly heard: readonly Heard[]
  /** How many messages its adapter said are missing, by room. */
  readonly told: Readonly<Record<string, number>>
  readonly misordered: number
  readonly doubled: number
  readonly received: number
  readonly connections: number
  /** What the hub said went wrong, by code. */
  readonly errors: Readonly<Record<string, number>>
  readonly unhandled: number
}

/** Clients. */
export interface CrowdSettings {
  readonly ports: readonly number[]
  readonly clients: number
  readonly rooms: number
}

/** What the clients have heard, all sessions together. */
export interface CrowdReport {
  readonly open: number
  /** How often a client was connected. */
  readonly sessions: number
  readonly received: number
  readonly misordered: number
  readonly doubled: number
  /** Missing between others, and told. */
  readonly told: number
  /** Missing between others, and not told. */
  readonly untold: number
}
