/**
 * How a message says what it is: its type, and, where it belongs to a request, which one. It knows no connection;
 * routers and requests read and write messages through it.
 */

import { checkMethods, type Given, reject, resolveOptions } from "../core/options.js"

/** What correlates a reply with its request. */
export type RequestId = string | number

/** What went wrong with a message or a request, as its sender is told. */
export interface Failure {
  /** For programs. */
  readonly reason: string | number
  /** For people. Never repeats what the peer has sent. */
  readonly message: string
  /** More about it. */
  readonly data?: unknown
}

/** A message that wants something done: a request where it has an `id`, a plain message where it has none. */
export interface CallEnvelope {
  /** Tells it from the others. */
  readonly kind: "call"
  /** Its type; `undefined` where it has none. */
  readonly tag: RequestId | undefined
  /** What the reply is to carry; `null` is JSON-RPC's. */
  readonly id: RequestId | null | undefined
  /** The message, whole. */
  readonly message: unknown
  /** Whatever is wrong with it, its sender is not told: two sides could go on answering each other for ever. */
  readonly isSilent?: boolean
}

/** The answer to a request. */
export interface ReplyEnvelope {
  /** Tells it from the others. */
  readonly kind: "reply"
  /** Which request. */
  readonly id: RequestId | null
  /** What it was answered with. */
  readonly value: unknown
}

/** The refusal of a request. */
export interface RefusalEnvelope {
  /** Tells it from the others. */
  readonly kind: "refusal"
  /** Which request. */
  readonly id: RequestId | null
  /** Why. */
  readonly failure: Failure
}

/** A message that breaks the rules of the framing. */
export interface MalformedEnvelope {
  /** Tells it from the others. */
  readonly kind: "malformed"
  /** Which rule. */
  readonly failure: Failure
}

/** What a message turns out to be. */
export type Envelope = CallEnvelope | ReplyEnvelope | RefusalEnvelope | MalformedEnvelope

/** Reads and writes what messages say about themselves. */
export interface Framing<Key extends string = string> {
  /** The field that holds a message's type. */
  readonly discriminator: Key
  /** Whether a request is answered even where nobody means to: with nothing, once it is handled. */
  readonly isAlwaysAnswered: boolean
  /** What a message is; a list of those in it where it is a batch. */
  read(message: unknown): Envelope | readonly Envelope[]
  /** A message as a request. */
  request(message: object, id: RequestId): object
  /** The answer to a request. */
  reply(id: RequestId | null, value: unknown): unknown
  /** The refusal of a message or a request; `undefined` where there is no way to say it. */
  failure(id: RequestId | null | undefined, failure: Failure): unknown
}

/** How {@link tagged} messages are made. */
export interface TaggedOptions<Key extends string = string> {
  /** The field that holds a message's type. @defaultValue "type" */
  readonly discriminator?: Key
}

const TAGGED_DEFAULTS: Required<TaggedOptions> = /* @__PURE__ */ Object.freeze({ discriminator: "type" })

/** An id that is longer is no id: it would be sent back. */
const MAX_ID_LENGTH = 128

/**
 * Tagged messages, the default: `{ type, … }`.
 *
 * A request is a message with an `id`, a string of 1 to 128 characters or a number. Its answer is
 * `{ type: "reply", id, data }`, its refusal `{ type: "error", id, code, message, data? }`; the refusal of a plain message
 * is the same without an id. Messages of the types `reply` and `error` are never refused in turn.
 *
 * @throws InvalidOptionError with the value received.
 */
export function tagged<Key extends string = "type">(options: Given<TaggedOptions<Key>> = {}): Framing<Key> {
  const key = resolveOptions("tagged", TAGGED_DEFAULTS, options).discriminator as Key
  if (typeof key !== "string" || key === "" || key === "id")
    reject("discriminator", "a field that is not id", key)
  return {
    discriminator: key,
    isAlwaysAnswered: false,
    read(message) {
      const fields: Fields = typeof message === "object" && message !== null ? (message as Fields) : {}
      const tag = isTag(fields[key]) ? fields[key] : undefined
      const id = isId(fields.id) ? fields.id : undefined
      if (tag !== "reply" && tag !== "error") return { kind: "call", tag, id, message }
      if (id === undefined) return { kind: "call", tag, id, message, isSilent: true }
      return tag === "reply"
        ? { kind: "reply", id, value: fields.data }
        : { kind: "refusal", id, failure: failureOf(fields) }
    },
    request: withId,
    reply: (id, value) => ({ [key]: "reply", id, data: value }),
    failure: (id, { reason, message, data }) => ({
      [key]: "error",
      ...(id !== undefined && { id }),
      code: reason,
      message,
      ...(data !== undefined && { data }),
    }),
  }
}

/**
 * The framing that is given, or tagged messages.
 * @throws InvalidOptionError for what is no framing, and for a discriminator beside one.
 */
export function resolveFraming(
  path: string,
  discriminator: string | undefined,
  framing: Framing | undefined,
): Framing {
  if (framing === undefined) return tagged({ discriminator })
  if (discriminator !== undefined) reject(`${path}.discriminator`, "left out beside framing", discriminator)
  return checkMethods(`${path}.framing`, framing, ["read", "request", "reply", "failure"])
}

/**
 * A message with an id.
 * @throws InvalidOptionError when it has one already.
 */
export function withId(message: object, id: RequestId): object {
  if (Object.hasOwn(message, "id")) reject("request message.id", "left out: the request has its own", message)
  return { ...message, id }
}

/** The fields of any object. */
export type Fields = Readonly<Record<string, unknown>>

function failureOf({ code, message, data }: Fields): Failure {
  return {
    reason: isTag(code) ? code : "UNKNOWN",
    message: typeof message === "string" ? message : "the peer does not say why",
    data,
  }
}

/** Whether a value can be a type. */
export function isTag(value: unknown): value is RequestId {
  return typeof value === "string" || typeof value === "number"
}

/** Whether a value can be an id. */
export function isId(value: unknown): value is RequestId {
  if (typeof value === "string") return value.length > 0 && value.length <= MAX_ID_LENGTH
  return Number.isFinite(value)
}
