/**
 * What hubs say to each other beside payloads, and how it is written: a version byte, then JSON, or the fields of a
 * forwarded message. Whatever is of another version or cannot be read is `undefined`, and whoever got it ignores it.
 */

import { FieldReader, FieldWriter } from "../core/byte-fields.js"
import type { Payload } from "../core/types.js"
import type { SelectionNames } from "./selection.js"

const VERSION = 1

/** What a node can be asked to do with the connections that a selection means there. */
export type Question = {
  readonly names: Pick<SelectionNames, "channels" | "exceptIds" | "exceptChannels">
} & (
  | { readonly ask: "count" | "list" }
  | { readonly ask: "join" | "leave"; readonly room: string }
  | { readonly ask: "close"; readonly code: number; readonly reason: string }
)

/** A question on its way. Without an id, nobody waits for an answer. */
export type Asking = Question & { readonly id?: number }

/** An answer, or a part of it: lists come in parts. */
export interface Answering {
  readonly id: number
  readonly value: unknown
  readonly isLast: boolean
}

/** Where a connection was found. */
export interface Finding {
  readonly connectionId: string
}

/** A message for one connection. */
export interface Forwarding {
  readonly connectionId: string
  readonly payload: Payload
  /** Whether it was sent to the node that is thought to have the connection, rather than to all. */
  readonly isDirected: boolean
}

/** The bytes of an operation. */
export function encodeOperation(value: object): Uint8Array {
  return new FieldWriter().byte(VERSION).rest(JSON.stringify(value)).finish()
}

/** Reads an operation. */
export function decodeOperation<T extends object>(bytes: Uint8Array): T | undefined {
  return read(bytes, (reader) => {
    const value: unknown = JSON.parse(reader.restText())
    return typeof value === "object" && value !== null ? (value as T) : undefined
  })
}

/** The bytes of a forwarded message, payload verbatim. */
export function encodeForwarding({ connectionId, payload, isDirected }: Forwarding): Uint8Array {
  const flags = (typeof payload === "string" ? 1 : 0) + (isDirected ? 2 : 0)
  return new FieldWriter().byte(VERSION).byte(flags).text(connectionId).rest(payload).finish()
}

/** Reads a forwarded message. */
export function decodeForwarding(bytes: Uint8Array): Forwarding | undefined {
  return read(bytes, (reader) => {
    const flags = reader.byte()
    const connectionId = reader.text()
    const payload = flags & 1 ? reader.restText() : reader.rest()
    return { connectionId, payload, isDirected: (flags & 2) !== 0 }
  })
}

function read<T>(bytes: Uint8Array, fields: (reader: FieldReader) => T | undefined): T | undefined {
  try {
    const reader = new FieldReader(bytes)
    return reader.byte() === VERSION ? fields(reader) : undefined
  } catch {
    return undefined
  }
}
