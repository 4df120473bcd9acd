/**
 * One message that came in, from its arrival to its answer: whatever the handler does or throws becomes a reply, a refusal,
 * or nothing. It knows no types and no routes.
 */

import { hasErrorCode } from "../core/errors.js"
import { isThenable } from "../core/maybe-promise.js"
import type { MaybePromise } from "../core/types.js"
import type { CallEnvelope, Envelope, Failure, Framing, RequestId } from "./framing.js"
import type { RequestError } from "./request-error.js"

/** What a request is answered with. */
export interface Answer {
  /** Goes into the reply. */
  readonly value: unknown
}

/** What came of one call. */
interface Outcome {
  readonly id: RequestId | null | undefined
  /** What its sender is told; `undefined` for nothing. */
  readonly reply: unknown
  /** What went wrong here; `undefined` for nothing. */
  readonly error: unknown
}

/** What exchanges with any number of peers work with. */
export interface ExchangeParts<Peer> {
  /** How messages say what they are. */
  readonly framing: Framing
  /** Handles one call. */
  readonly handle: (call: CallEnvelope, peer: Peer) => MaybePromise<Answer | undefined>
  /** Sends to whoever the message came from. */
  readonly send: (message: unknown, peer: Peer) => unknown
}

/** What the peer learns of an error that is none of its business. */
const INTERNAL: Failure = /* @__PURE__ */ Object.freeze({ reason: "INTERNAL", message: "the request failed" })

const DONE: Outcome = /* @__PURE__ */ Object.freeze({ id: undefined, reply: undefined, error: undefined })

/**
 * Handles a message, or each of a batch one after the other, and answers. Replies are not calls, and are left alone.
 * @returns when all is done. Throws, or rejects with, what was thrown by a handler, once the peer has been told.
 */
export function exchange<Peer>(parts: ExchangeParts<Peer>, message: unknown, peer: Peer): MaybePromise<void> {
  const read = parts.framing.read(message)
  if (isBatch(read)) return exchangeBatch(parts, read, peer)
  const outcome = outcomeOf(parts, read, peer)
  if (isThenable(outcome)) return outcome.then((it) => conclude(parts, it, peer))
  conclude(parts, outcome, peer)
}

function conclude<Peer>(parts: ExchangeParts<Peer>, outcome: Outcome, peer: Peer): void {
  if (outcome.reply !== undefined) send(parts, outcome.reply, [outcome], peer)
  if (outcome.error !== undefined) throw outcome.error
}

async function exchangeBatch<Peer>(
  parts: ExchangeParts<Peer>,
  envelopes: readonly Envelope[],
  peer: Peer,
): Promise<void> {
  const outcomes: Outcome[] = []
  for (const envelope of envelopes) outcomes.push(await outcomeOf(parts, envelope, peer))
  const replies = outcomes.map(({ reply }) => reply).filter((it) => it !== undefined)
  if (replies.length > 0) send(parts, replies, outcomes, peer)
  const errors = outcomes.map(({ error }) => error).filter((it) => it !== undefined)
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} calls of a batch failed`)
  if (errors.length === 1) throw errors[0]
}

function isBatch(read: Envelope | readonly Envelope[]): read is readonly Envelope[] {
  return Array.isArray(read)
}

function outcomeOf<Peer>(
  { framing, handle }: ExchangeParts<Peer>,
  envelope: Envelope,
  peer: Peer,
): MaybePromise<Outcome> {
  if (envelope.kind === "malformed") {
    return { id: null, reply: framing.failure(null, envelope.failure), error: undefined }
  }
  if (envelope.kind !== "call") return DONE
  let answer: MaybePromise<Answer | undefined>
  try {
    answer = handle(envelope, peer)
  } catch (error) {
    return failed(framing, envelope, error)
  }
  if (!isThenable(answer)) return succeeded(framing, envelope, answer)
  return answer.then(
    (value) => succeeded(framing, envelope, value),
    (error) => failed(framing, envelope, error),
  )
}

function succeeded(framing: Framing, { id }: CallEnvelope, answer: Answer | undefined): Outcome {
  return id === undefined ? DONE : { id, reply: replyOf(framing, id, answer), error: undefined }
}

function replyOf(framing: Framing, id: RequestId | null, answer: Answer | undefined): unknown {
  return answer || framing.isAlwaysAnswered ? framing.reply(id, answer?.value) : undefined
}

/** A refusal is said to the peer. Any other error is ours; the peer of a request learns that there was one. */
function failed(framing: Framing, { id, isSilent }: CallEnvelope, error: unknown): Outcome {
  const isRefusal = hasErrorCode(error, "REQUEST_FAILED")
  const isTold = !isSilent && (isRefusal || id !== undefined)
  const reply = isTold ? framing.failure(id, isRefusal ? (error as RequestError) : INTERNAL) : undefined
  return {
    id,
    reply,
    error: isRefusal ? error.cause && error : (error ?? new Error("a handler threw nothing")),
  }
}

/** What cannot be encoded is refused instead: the peer must not wait for an answer that never comes. */
function send<Peer>(
  { framing, send }: ExchangeParts<Peer>,
  reply: unknown,
  outcomes: readonly Outcome[],
  peer: Peer,
): void {
  try {
    send(reply, peer)
  } catch (error) {
    const refusals = outcomes
      .filter(({ id }) => id !== undefined)
      .map(({ id }) => framing.failure(id, INTERNAL))
    if (refusals.length > 0) send(Array.isArray(reply) ? refusals : refusals[0], peer)
    throw error
  }
}
