/**
 * The errors of the library: one family with a stable `code` and a `cause`.
 * It does not know who throws them. Compare codes rather than classes: two copies of a package are common.
 */

/** Every code an error of this library can carry. Codes are part of the public API and never change their meaning. */
export type ErrorCode =
  | "ABORTED"
  | "ACQUIRE_TIMEOUT"
  | "ADAPTER_UNAVAILABLE"
  | "AUTH_UNAVAILABLE"
  | "CONNECTION_LOST"
  | "CONNECT_FAILED"
  | "CONNECT_TIMEOUT"
  | "DECODE_FAILED"
  | "ENCODE_FAILED"
  | "INVALID_ADDRESS"
  | "INVALID_OPTION"
  | "NO_WEBSOCKET"
  | "PACKET_TOO_BIG"
  | "PACKET_TRUNCATED"
  | "PACKET_TYPE_UNKNOWN"
  | "PAYLOAD_TOO_LARGE"
  | "PING_TIMEOUT"
  | "POOL_CLOSED"
  | "QUEUE_FULL"
  | "REQUEST_FAILED"
  | "REQUEST_TIMEOUT"
  | "SEND_TIMEOUT"
  | "STOP_RECONNECTING"
  | "TOKEN_REJECTED"
  | "UNCONFIRMED"

/** Base of the family. `message` carries the values, `cause` the error underneath where there is one. */
export class HoldfastError extends Error {
  /** Stable name of what went wrong. */
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.name = new.target.name
  }
}

/**
 * An option has a value it cannot have. Thrown at construction, before anything is opened.
 * A `TypeError`, so that a caller who only knows JavaScript's own errors recognises it.
 */
export class InvalidOptionError extends TypeError {
  /** Always `INVALID_OPTION`. */
  readonly code = "INVALID_OPTION" satisfies ErrorCode

  constructor(message: string) {
    super(message)
    this.name = new.target.name
  }
}

/** What is known about an attempt that did not open. */
export interface ConnectErrorOptions extends ErrorOptions {
  /** `CONNECT_TIMEOUT`, `INVALID_ADDRESS`, `NO_WEBSOCKET` or, by default, `CONNECT_FAILED`. */
  readonly code?: "CONNECT_FAILED" | "CONNECT_TIMEOUT" | "INVALID_ADDRESS" | "NO_WEBSOCKET"
  /** HTTP status of the refusal, where the platform shows it (the `ws` package does, browsers do not). */
  readonly status?: number
  /** The refusal's `Retry-After`, in milliseconds. */
  readonly retryAfterMs?: number
}

/** An attempt to open a connection failed: refused, reset, timed out, or the `url` callback rejected. */
export class ConnectError extends HoldfastError {
  /** HTTP status of the refusal, where the platform shows it. */
  readonly status: number | undefined
  /** The refusal's `Retry-After`, in milliseconds, where it had one. */
  readonly retryAfterMs: number | undefined

  constructor(message: string, options: ConnectErrorOptions = {}) {
    super(options.code ?? "CONNECT_FAILED", message, options)
    this.status = options.status
    this.retryAfterMs = options.retryAfterMs
  }
}

/** The connection ended before the operation did. */
export class ConnectionLostError extends HoldfastError {
  constructor(message: string, options?: ErrorOptions) {
    super("CONNECTION_LOST", message, options)
  }
}

/** The bytes of a message were not handed to the kernel in time. The message may still leave later. */
export class SendTimeoutError extends HoldfastError {
  constructor(message: string, options?: ErrorOptions) {
    super("SEND_TIMEOUT", message, options)
  }
}

/** A message was handed to a socket, and nothing proves that it arrived. It may have: sending it again may double it. */
export class UnconfirmedError extends HoldfastError {
  constructor(message: string, options?: ErrorOptions) {
    super("UNCONFIRMED", message, options)
  }
}

/** A bounded queue or outbox had no room, and its policy gave up this message. */
export class QueueFullError extends HoldfastError {
  constructor(message: string, options?: ErrorOptions) {
    super("QUEUE_FULL", message, options)
  }
}

/** What can be wrong with a message on its way into a frame or out of one. */
export type CodecErrorCode = Extract<ErrorCode, "DECODE_FAILED" | "ENCODE_FAILED" | `PACKET_${string}`>

/** A message could not be encoded or decoded. `preview` is short enough for a log. */
export class CodecError extends HoldfastError {
  declare readonly code: CodecErrorCode
  /** The first characters or bytes of the message, never the whole of it. */
  readonly preview: string

  constructor(code: CodecErrorCode, message: string, preview: string, options?: ErrorOptions) {
    super(code, message, options)
    this.preview = preview
  }
}

/**
 * An adapter could not hand something to its engine: `ADAPTER_UNAVAILABLE` when the engine did not take it in time,
 * `PAYLOAD_TOO_LARGE` when it never would.
 */
export class AdapterError extends HoldfastError {
  constructor(code: "ADAPTER_UNAVAILABLE" | "PAYLOAD_TOO_LARGE", message: string, options?: ErrorOptions) {
    super(code, message, options)
  }
}

/**
 * What decides about logins cannot be asked now. Throw it from `authenticate`: the upgrade is refused with 503, so that the
 * client comes back, and it is an `error` event.
 */
export class AuthUnavailableError extends HoldfastError {
  constructor(message: string, options?: ErrorOptions) {
    super("AUTH_UNAVAILABLE", message, options)
  }
}

/** Throw it from any callback or listener of a reconnecting client to end it for good, with your reason as the message. */
export class StopReconnecting extends HoldfastError {
  constructor(message = "reconnecting was stopped", options?: ErrorOptions) {
    super("STOP_RECONNECTING", message, options)
  }
}

/**
 * Tells whether an error is one of this library's, and of that code when one is given.
 * Works across duplicate copies of the package, where `instanceof` does not.
 */
export function hasErrorCode(
  error: unknown,
  code: ErrorCode,
): error is Error & {
  /** The code that was asked for. */
  readonly code: ErrorCode
} {
  return error instanceof Error && (error as { code?: unknown }).code === code
}
