/**
 * Close codes by name, and what each tells a client to do next.
 * The numbers are RFC 6455, section 7.4, the IANA registry behind it, and two of our own in the private range.
 */

// one by one as well: a bundler leaves out what is not used, but never a part of an object
export const NORMAL = 1000
const NO_STATUS = 1005
export const ABNORMAL = 1006
export const POLICY = 1008
const RESTART = 1012
export const OVERLOAD = 1013
export const EXPIRED = 4401
export const REVOKED = 4403

/** The close codes this library sends or explains. */
export const CloseCode = {
  /** The purpose of the connection is fulfilled. */
  NORMAL,
  /** The server stops, or the page is left. */
  GOING_AWAY: 1001,
  /** A frame broke the protocol. */
  PROTOCOL_ERROR: 1002,
  /** A kind of message that this endpoint does not take. */
  UNSUPPORTED_DATA: 1003,
  /** Never sent: the peer's close frame had no code. */
  NO_STATUS,
  /** Never sent: the connection ended without a close frame. */
  ABNORMAL,
  /** Text that is not UTF-8, and the like. */
  INVALID_PAYLOAD: 1007,
  /** A rule of the application was broken. */
  POLICY,
  /** A message above the size limit. */
  TOO_BIG: 1009,
  /** The server did not negotiate an extension that the client needs. */
  MISSING_EXTENSION: 1010,
  /** The server met an error it did not expect. */
  INTERNAL: 1011,
  /** The server restarts; come back after a random wait. */
  RESTART,
  /** The server is overloaded, or this reader is too slow; come back after a random wait. */
  OVERLOAD,
  /** A gateway got a bad answer from behind it. */
  BAD_GATEWAY: 1014,
  /** Private range: the login is missing or has expired. */
  EXPIRED,
  /** Private range: the login was revoked, or does not allow this. */
  REVOKED,
} as const

/** What a close code tells a client: dial again with the usual backoff, wait longer first, or stop. */
export type RetryAdvice = "now" | "later" | "never"

const NEVER: ReadonlySet<number> = new Set([1002, 1003, 1007, 1008, 1009, 1010])

/**
 * What a client should do after a close code.
 * `never` for protocol and policy errors and for 4400–4499, which repeat however often one dials;
 * `later` for 1012 and 1013; `now`, with the usual backoff, for everything else, a server's 1000 included.
 */
export function retryAdvice(code: number): RetryAdvice {
  if (NEVER.has(code) || (code >= 4400 && code <= 4499)) return "never"
  return code === RESTART || code === OVERLOAD ? "later" : "now"
}

/** Tells whether a code may stand in a close frame (RFC 6455, section 7.4.1; 1015 and the two above are never sent). */
export function isSendableCloseCode(code: number): boolean {
  if (!Number.isInteger(code)) return false
  if (code >= 3000) return code <= 4999
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== NO_STATUS && code !== ABNORMAL
}

/** A close frame has 125 bytes for its code and its reason (RFC 6455, section 5.5). */
const MAX_REASON_BYTES = 123

/** Cuts a reason to the 123 bytes of UTF-8 that a close frame can hold, never through a character. */
export function truncateReason(reason: string): string {
  const bytes = new TextEncoder().encode(reason)
  if (bytes.length <= MAX_REASON_BYTES) return reason
  let end = MAX_REASON_BYTES
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return new TextDecoder().decode(bytes.subarray(0, end))
}
