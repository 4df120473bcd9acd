/**
 * What a connection tells about itself, and what its methods may be asked for.
 */

import type { ErrorEvent } from "../core/emitter.js"
import type { Lag } from "./backlog.js"

/** Where a connection stands. `closing`: the closing handshake has begun, and nothing more is sent. */
export type ConnectionState = "open" | "closing" | "closed"

/**
 * Why a connection ended.
 *
 * - `peer`: the other side closed, or the network did.
 * - `local`: `close()` or `terminate()` was called here.
 * - `heartbeat`: the peer did not answer.
 * - `write-timeout`: nothing could be written for `writeTimeoutMs`.
 * - `overflow`: the reader was too slow, or sent faster than it was handled.
 * - `rate-limit`: the peer sent faster than it may, and went on doing so.
 * - `overload`: all connections together held more than `maxTotalBufferedBytes`, and this one was among the slowest.
 * - `close-timeout`: the peer did not finish the closing handshake.
 */
export type CloseCause =
  | "peer"
  | "local"
  | "heartbeat"
  | "write-timeout"
  | "overflow"
  | "rate-limit"
  | "overload"
  | "close-timeout"

/** How a connection ended. */
export interface CloseInfo {
  /** The close code: 1006 when no close frame came, 1005 when it had no code. */
  readonly code: number
  /** The reason in the close frame. */
  readonly reason: string
  /** Which side or which rule ended it. */
  readonly cause: CloseCause
  /** What was given to `send`, never handed to the socket, and not told by `lagged`. */
  readonly unsent: Lag
}

/** What a connection tells about itself. */
export interface ConnectionEvents<Incoming> {
  /**
   * A message came in. While `concurrency` async listeners are busy, reading is paused. What comes before the first
   * listener waits for it, up to `concurrency` messages; then reading pauses, and after 10 s without a listener messages
   * are discarded until there is one.
   */
  message: {
    /** The message, decoded. */
    readonly data: Incoming
  }
  /** The connection ended. Comes once; messages that were held back by busy listeners may still follow. */
  close: CloseInfo
  /** Something failed. The connection lives on unless `close` follows. Stages: `decode`, `listener`, `socket`. */
  error: ErrorEvent
  /**
   * The overflow policy dropped messages, and there is room again: exactly so many were lost since the last time. What a
   * listener sends stands where the gap is: with `drop-newest`, that may be ahead of a message that is just being sent.
   */
  lagged: Lag
  /** Of connections with an `expiresAt`: the login ends in 30 s, or sooner where it was shorter than that. */
  expiring: {
    /** When it ends, in milliseconds since 1970. */
    readonly expiresAt: number
  }
  /** A ping was answered after so many milliseconds. */
  pong: {
    /** The round trip, in milliseconds. */
    readonly rttMs: number
  }
}

/** How long one `sendAsync` may take. */
export interface SendAsyncOptions {
  /** How long the kernel may take to accept the bytes, in milliseconds. @defaultValue the connection's `sendTimeoutMs` */
  readonly timeoutMs?: number
}

/** How one reader of `for await` is fed. */
export interface IterateOptions {
  /** How many messages may wait for this reader before reading from the socket pauses. @defaultValue 64 */
  readonly maxMessages?: number
}
