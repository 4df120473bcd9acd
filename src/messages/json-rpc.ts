/**
 * JSON-RPC 2.0 (https://www.jsonrpc.org/specification) as a framing: calls, notifications, errors and batches as its
 * clients and servers of any language have them. It needs the `json()` codec below it.
 */

import { checkCount, resolveOptions } from "../core/options.js"
import {
  type Envelope,
  type Failure,
  type Fields,
  type Framing,
  isId,
  type RequestId,
  withId,
} from "./framing.js"

/** What the specification has as an error object. */
export interface JsonRpcError {
  /** What was wrong: one of the specification's numbers, or the application's own. */
  readonly code: number
  /** In words. */
  readonly message: string
  /** More about it. */
  readonly data?: unknown
}

/** What the specification has as a response with an error. */
export interface JsonRpcFailure {
  /** The version. */
  readonly jsonrpc: "2.0"
  /** What was wrong. */
  readonly error: JsonRpcError
  /** Which request; `null` where that cannot be told. */
  readonly id: RequestId | null
}

/** How {@link jsonRpc} reads. */
export interface JsonRpcOptions {
  /** How many calls a batch may have. One with more is refused as a whole. @defaultValue 100 */
  readonly maxBatch?: number
}

const DEFAULTS: Required<JsonRpcOptions> = /* @__PURE__ */ Object.freeze({ maxBatch: 100 })

/** The specification's error codes, by the reasons that routers refuse with. */
const ERRORS: ReadonlyMap<unknown, JsonRpcError> = /* @__PURE__ */ new Map([
  ["INVALID_REQUEST", { code: -32_600, message: "Invalid Request" }],
  ["UNKNOWN_TYPE", { code: -32_601, message: "Method not found" }],
  ["INVALID_MESSAGE", { code: -32_602, message: "Invalid params" }],
  ["INTERNAL", { code: -32_603, message: "Internal error" }],
])

/** Where the application's own errors begin that have no number (specification, section 5.1). */
const SERVER_ERROR = -32_000

/**
 * JSON-RPC 2.0, for `createRouter` and `createRequests`. A message's type is its `method`; each request is answered, with
 * `null` where its handler was added with `on`; a batch is handled in order and answered in one message.
 *
 * A {@link RequestError} with a number for a reason is sent with that code; any other reason goes into `data`.
 *
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * const hub = createHub<unknown, unknown>({ onDecodeError: jsonRpcParseError })
 * createRouter<Calls, HubConnection, Replies, "method">({ framing: jsonRpc() })
 *   .answer("subtract", ({ message: { params } }) => params[0] - params[1])
 *   .mount(hub)
 */
export function jsonRpc(options: JsonRpcOptions = {}): Framing<"method"> {
  const { maxBatch } = resolveOptions("jsonRpc", DEFAULTS, options)
  checkCount("jsonRpc.maxBatch", maxBatch)
  return {
    discriminator: "method",
    isAlwaysAnswered: true,
    read(message) {
      if (!Array.isArray(message)) return readOne(message)
      return message.length > 0 && message.length <= maxBatch ? message.map(readOne) : INVALID
    },
    request: (message, id) => ({ jsonrpc: "2.0", ...withId(message, id) }),
    reply: (id, value) => ({ jsonrpc: "2.0", result: value === undefined ? null : value, id }),
    failure: (id, failure) =>
      id === undefined ? undefined : { jsonrpc: "2.0", error: errorOf(failure), id },
  }
}

/**
 * The answer to a frame that is no JSON, for the `onDecodeError` of a hub.
 * @example
 * createHub<unknown, unknown>({ onDecodeError: jsonRpcParseError })
 */
export function jsonRpcParseError(): JsonRpcFailure {
  return { jsonrpc: "2.0", error: { code: -32_700, message: "Parse error" }, id: null }
}

const INVALID: Envelope = {
  kind: "malformed",
  failure: { reason: "INVALID_REQUEST", message: "Invalid Request" },
}

function readOne(message: unknown): Envelope {
  const { jsonrpc, method, params, id, result, error } = isObject(message) ? message : {}
  if (jsonrpc !== "2.0" || !(id === undefined || isRpcId(id))) return INVALID
  if (typeof method === "string")
    return params === undefined || isObject(params) ? { kind: "call", tag: method, id, message } : INVALID
  if (id === undefined) return INVALID
  if (isObject(error)) return { kind: "refusal", id, failure: failureOf(error) }
  return result === undefined ? INVALID : { kind: "reply", id, value: result }
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null
}

/** An id may be `null` here, or the empty string. */
function isRpcId(id: unknown): id is RequestId | null {
  return id === null || id === "" || isId(id)
}

function errorOf({ reason, message, data }: Failure): JsonRpcError {
  const known = ERRORS.get(reason)
  if (known) return data === undefined ? known : { ...known, data }
  if (typeof reason === "string")
    return { code: SERVER_ERROR, message, data: { reason, ...(data !== undefined && { data }) } }
  return { code: reason, message, ...(data !== undefined && { data }) }
}

function failureOf({ code, message, data }: Fields): Failure {
  const shown = typeof message === "string" ? message : "the peer does not say why"
  // as `errorOf` has written it
  if (code === SERVER_ERROR && isObject(data) && typeof data.reason === "string")
    return { reason: data.reason, message: shown, data: data.data }
  return { reason: typeof code === "number" ? code : SERVER_ERROR, message: shown, data }
}
