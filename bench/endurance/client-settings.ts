/**
 * What the clients of a trial are told, and what they tell.
 */

import type { BackoffOptions, RetryAdvice } from "holdfast"

/** How they behave. */
export interface ClientSettings {
  /** What their messages begin with. @defaultValue "a" */
  readonly name?: string
  /** Whether they stay away after their connection has ended. @defaultValue false */
  readonly isOnce?: boolean
  /** Options that differ from the defaults. */
  readonly options?: {
    readonly backoff?: BackoffOptions
    readonly closeCodes?: Readonly<Record<number, RetryAdvice>>
  }
}

/** What happened to all clients of a process, in milliseconds since 1970 where it does not say otherwise. */
export interface Diary {
  /** Every dial. */
  readonly tries: number[]
  /** How long each meant to wait, in milliseconds. */
  readonly plannedMs: number[]
  readonly opens: number[]
  /** Ends of open connections: their code, and how many messages had come by then. */
  readonly ends: { readonly at: number; readonly code: number; readonly words: number }[]
}

/** What became of messages that were sent with a fence. */
export interface Sent {
  /** The peer is proved to have them. */
  readonly confirmed: string[]
  /** Their connection died before the proof, and the sender was told. */
  readonly unconfirmed: string[]
  /** They were never handed to a connection, and the sender was told. */
  readonly refused: string[]
}
