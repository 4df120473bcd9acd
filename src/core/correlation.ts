/**
 * The id that a request brings along, so that the log lines of everything it passed through can be found together.
 */

/** Names of headers in lower case, and their values, as HTTP servers have them. */
export type HeaderValues = Readonly<Record<string, string | readonly string[] | undefined>>

/** W3C Trace Context, section 3.2: version, trace id, parent id, flags. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-.*)?$/
/** What may stand in a log line, whoever reads it. */
const REQUEST_ID = /^[\w.:/+=@-]{1,128}$/

/** The trace id of `traceparent`, or else `x-request-id`; `undefined` where neither is there and well-formed. */
export function correlationOf(headers: HeaderValues | undefined): string | undefined {
  const { traceparent, "x-request-id": requestId } = headers ?? {}
  const trace = typeof traceparent === "string" ? TRACEPARENT.exec(traceparent)?.[1] : undefined
  if (trace !== undefined) return trace
  return typeof requestId === "string" && REQUEST_ID.test(requestId) ? requestId : undefined
}
