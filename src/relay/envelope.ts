/**
 * What nodes write around a payload: a version, who sends it, and where it stands in its stream. The payload itself
 * follows verbatim. Layout: version, kind, node, moment, then the fields of that kind, the payload last.
 */

import { FieldReader, FieldWriter } from "../core/byte-fields.js"
import type { Payload } from "../core/types.js"
import type { PublishMeta } from "../hub/adapter.js"

/** The only version so far. A node that reads another ignores the message. */
const VERSION = 1

const TEXT = 0
const BINARY = 1
const OPERATION = 2
const MARK = 3
const PROBE = 4
const HELLO = 5

/** Where a message stands: the stream's number on its node, and the message's number in the stream, from 1. */
export interface Position {
  /** Rises with each stream a node begins. */
  readonly stream: number
  /** Rises by one with each message. */
  readonly sequence: number
}

/** A payload for a channel. */
export interface PayloadPart extends PublishMeta, Position {
  readonly kind: "payload"
  readonly payload: Payload
}

/** An operation for another node. */
interface OperationPart extends Position {
  readonly kind: "operation"
  readonly operation: string
  readonly bytes: Uint8Array
}

/** Where a stream stands that has gone quiet, so that a lost end is noticed. */
export interface MarkPart extends Position {
  readonly kind: "mark"
  /** How long ago its first message was published, in milliseconds. */
  readonly ageMs: number
}

/** A node's question to itself, through the broker. */
interface ProbePart {
  readonly kind: "probe"
}

/** A node has a new link: whoever published lately may mark its streams again. */
interface HelloPart {
  readonly kind: "hello"
}

/** What an envelope can hold. */
export type Part = PayloadPart | OperationPart | MarkPart | ProbePart | HelloPart

/** A part, who sent it and when, on the clock of the sender. */
export interface Envelope {
  readonly nodeId: string
  readonly sentAt: number
  readonly part: Part
}

/** The bytes of an envelope. */
export function encodeEnvelope(nodeId: string, sentAt: number, part: Part): Uint8Array {
  const writer = new FieldWriter().byte(VERSION).byte(kindOf(part)).text(nodeId).moment(sentAt)
  if ("sequence" in part) writer.number(part.stream).number(part.sequence)
  if (part.kind === "mark") writer.number(Math.round(part.ageMs))
  else if (part.kind === "operation") writer.text(part.operation).rest(part.bytes)
  else if (part.kind === "payload") {
    writer.texts(part.exceptIds).texts(part.exceptChannels).rest(part.payload)
  }
  return writer.finish()
}

/**
 * Reads an envelope. `undefined` when it is of a version or a kind that this node does not know.
 * @throws RangeError when it cannot be an envelope.
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope | undefined {
  const reader = new FieldReader(bytes)
  if (reader.byte() !== VERSION) return undefined
  const kind = reader.byte()
  if (kind > HELLO) return undefined
  const nodeId = reader.text()
  const sentAt = reader.moment()
  return { nodeId, sentAt, part: readPart(kind, reader) }
}

/** Whether bytes hold a node's question to itself, as far as two bytes can tell. */
export function isProbe(bytes: Uint8Array): boolean {
  return bytes[0] === VERSION && bytes[1] === PROBE
}

function kindOf(part: Part): number {
  if (part.kind === "payload") return typeof part.payload === "string" ? TEXT : BINARY
  return { operation: OPERATION, mark: MARK, probe: PROBE, hello: HELLO }[part.kind]
}

function readPart(kind: number, reader: FieldReader): Part {
  if (kind === PROBE) return { kind: "probe" }
  if (kind === HELLO) return { kind: "hello" }
  const position = { stream: reader.number(), sequence: reader.number() }
  if (kind === MARK) return { kind: "mark", ...position, ageMs: reader.number() }
  if (kind === OPERATION) {
    return { kind: "operation", ...position, operation: reader.text(), bytes: reader.rest() }
  }
  const meta = { exceptIds: reader.texts(), exceptChannels: reader.texts() }
  const payload = kind === TEXT ? reader.restText() : reader.rest()
  return { kind: "payload", ...position, ...meta, payload }
}
