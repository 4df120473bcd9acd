/**
 * What an outbox can be told, what it answers, and what it asks of its owner.
 */

import { checkCount, checkMs, checkOneOf } from "../core/options.js"
import type { Clock } from "../core/timer.js"
import type { Lag, OverflowPolicy } from "./backlog.js"
import type { BufferBudget } from "./buffer-budget.js"
import type { Flusher, FlushMode } from "./flusher.js"
import type { Frame } from "./frame.js"

/** Limits of an outbox. */
export interface OutboxOptions {
  /**
   * How many bytes may wait for one connection: outbox, socket and the new message together.
   * @defaultValue 1_048_576
   */
  readonly maxBufferedBytes?: number
  /** What happens above that. @defaultValue "close" */
  readonly overflow?: OverflowPolicy
  /**
   * How many bytes may wait for all connections together, counted for each as if it shared none with others. Above it
   * those for whom most waits are closed with 1013 and cause `overload`; `false` for no such limit.
   * @defaultValue 268_435_456
   */
  readonly maxTotalBufferedBytes?: number | false
  /** How long bytes may wait without any of them leaving, in milliseconds, before the connection is cut. @defaultValue 10_000 */
  readonly writeTimeoutMs?: number
  /**
   * `tick` joins everything sent in one turn of the event loop into one write; `immediate` writes each message at once.
   * @defaultValue "tick"
   */
  readonly flush?: FlushMode
}

/** {@link OutboxOptions} with every field decided. */
export type OutboxSettings = Required<OutboxOptions>

/** The defaults of {@link OutboxOptions}. */
export const OUTBOX_DEFAULTS: OutboxSettings = Object.freeze({
  maxBufferedBytes: 1_048_576,
  overflow: "close" as OverflowPolicy,
  maxTotalBufferedBytes: 268_435_456,
  writeTimeoutMs: 10_000,
  flush: "tick" as FlushMode,
})

/** Throws for settings that cannot be. */
export function checkOutbox(path: string, settings: OutboxSettings): void {
  checkCount(`${path}.maxBufferedBytes`, settings.maxBufferedBytes)
  checkOneOf(`${path}.overflow`, settings.overflow, ["close", "drop-newest", "drop-oldest", "latest"])
  const { maxTotalBufferedBytes } = settings
  if (maxTotalBufferedBytes !== false) checkCount(`${path}.maxTotalBufferedBytes`, maxTotalBufferedBytes)
  checkMs(`${path}.writeTimeoutMs`, settings.writeTimeoutMs, 1)
  checkOneOf(`${path}.flush`, settings.flush, ["tick", "immediate"])
}

/**
 * What became of a message that was given to `send`.
 *
 * - `sent`: it leaves at the end of this turn of the event loop.
 * - `queued`: it waits in the outbox: the reader is slow, or a large message is being compressed in another thread.
 * - `dropped`: the overflow policy gave it up.
 * - `closed`: the connection is not open any more.
 */
export type SendResult = "sent" | "queued" | "dropped" | "closed"

/** Whose outbox it is: it hears what only the connection can decide. */
export interface OutboxOwner {
  /** The policy is `close` and there is no room. */
  overflowed(): void
  /** Messages were lost and there is room again. A frame that is returned goes where the gap is. */
  lagged(lag: Lag): Frame | undefined
  /** Nothing left for `writeTimeoutMs`. */
  stalled(): void
  /** All connections together hold too much, and this one is among the slowest. */
  overloaded(): void
}

/** The limits, and what outboxes of one owner share at run time. */
export interface SharedSettings extends OutboxSettings {
  /** Writes all of them at the end of a turn. */
  readonly flusher: Flusher
  /** Bounds what all of them hold together. */
  readonly budget: BufferBudget
  /** Where time comes from. */
  readonly clock: Clock
}
