/**
 * A strict reader of WebSocket frames (RFC 6455, section 5.2; compressed ones: RFC 7692), written from the RFCs and not
 * from the library: it throws for whatever a server may not send to a client.
 */

import { constants, inflateRawSync } from "node:zlib"

/** The frame types by their opcodes. */
const TYPES: Readonly<Record<number, ParsedFrame["type"]>> = {
  1: "text",
  2: "binary",
  8: "close",
  9: "ping",
  10: "pong",
}

/** One frame of a server. */
export interface ParsedFrame {
  readonly type: "text" | "binary" | "close" | "ping" | "pong"
  /** What it says; inflated, if it was compressed. */
  readonly payload: Buffer
  /** How many bytes of payload came, where they were compressed. */
  readonly compressedBytes?: number
}

/** What was agreed on in the handshake. */
export interface ParserOptions {
  /** The window of permessage-deflate without context takeover; none where that was not agreed on. */
  readonly windowBits?: number
  /** Whether messages may come in fragments; they are read as one. */
  readonly mayFragment?: boolean
}

/** Reads frames from chunks of bytes, however they are cut. */
export class FrameParser {
  readonly #options: ParserOptions
  #rest = Buffer.alloc(0)
  #fragments: ParsedFrame[] = []

  constructor(options: ParserOptions = {}) {
    this.#options = options
  }

  /** Whether every byte so far belongs to a whole frame. */
  get isAtBoundary(): boolean {
    return this.#rest.length === 0 && this.#fragments.length === 0
  }

  /** The frames that these bytes complete. */
  push(chunk: Uint8Array): ParsedFrame[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const frames: ParsedFrame[] = []
    for (let frame = this.#next(); frame; frame = this.#next()) {
      if (frame !== "unfinished") frames.push(frame)
    }
    return frames
  }

  #next(): ParsedFrame | "unfinished" | undefined {
    const header = readHeader(this.#rest, this.#options)
    if (!header || this.#rest.length < header.end) return undefined
    const payload = this.#rest.subarray(header.start, header.end)
    this.#rest = this.#rest.subarray(header.end)
    if (header.type === "continuation" || !header.isLast) return this.#assemble(header, payload)
    if (this.#fragments.length > 0 && (header.type === "text" || header.type === "binary")) {
      throw new Error(`a ${header.type} frame within an unfinished message`)
    }
    const message = header.isCompressed ? inflate(payload, this.#options.windowBits ?? 15) : payload
    if (header.type === "text") new TextDecoder("utf-8", { fatal: true }).decode(message)
    const parsed = { type: header.type, payload: message }
    return header.isCompressed ? { ...parsed, compressedBytes: payload.length } : parsed
  }

  #assemble({ type, isLast, isCompressed }: Header, payload: Buffer): ParsedFrame | "unfinished" {
    const [first] = this.#fragments
    if (isCompressed) throw new Error("a compressed fragment")
    if ((type === "continuation") !== (first !== undefined))
      throw new Error(`a fragment out of place: ${type}`)
    this.#fragments.push({ type: first?.type ?? (type as ParsedFrame["type"]), payload })
    if (!isLast) return "unfinished"
    const parts = this.#fragments.splice(0)
    return {
      type: parts[0]?.type as ParsedFrame["type"],
      payload: Buffer.concat(parts.map((it) => it.payload)),
    }
  }
}

/** The frames in one piece of bytes. Throws when it ends within a frame. */
export function parseFrames(...chunks: readonly Uint8Array[]): ParsedFrame[] {
  return parseDeflated({}, ...chunks)
}

/** The same where permessage-deflate was agreed on. */
export function parseDeflated(options: ParserOptions, ...chunks: readonly Uint8Array[]): ParsedFrame[] {
  const parser = new FrameParser(options)
  const frames = chunks.flatMap((chunk) => parser.push(chunk))
  if (!parser.isAtBoundary) throw new Error("the bytes end within a frame")
  return frames
}

/** With a window that begins empty: a message that refers to an earlier one fails (RFC 7692, section 7.2.2). */
function inflate(payload: Buffer, windowBits: number): Buffer {
  const bytes = Buffer.concat([payload, Buffer.from([0, 0, 0xff, 0xff])])
  // zlib also looks back into the output that it has not handed over yet, so that must not be longer than the window
  const chunkSize = 2 ** windowBits
  return inflateRawSync(bytes, { windowBits, chunkSize, finishFlush: constants.Z_SYNC_FLUSH })
}

interface Header {
  readonly type: ParsedFrame["type"] | "continuation"
  readonly isLast: boolean
  readonly isCompressed: boolean
  readonly start: number
  readonly end: number
}

function readHeader(bytes: Buffer, { windowBits, mayFragment }: ParserOptions): Header | undefined {
  const [first, second] = bytes
  if (first === undefined || second === undefined) return undefined
  const type = mayFragment && (first & 0x0f) === 0 ? "continuation" : TYPES[first & 0x0f]
  if (!type) throw new Error(`no such opcode: ${first & 0x0f}`)
  const isCompressed = windowBits !== undefined && (first & 0x40) > 0
  const isLast = !mayFragment || (first & 0x80) > 0
  if ((first & 0xf0) !== (isLast ? 0x80 : 0) + (isCompressed ? 0x40 : 0)) {
    throw new Error(`not a whole frame, or a reserved bit: ${first.toString(16)}`)
  }
  if (!isLast && first & 0x08) throw new Error(`a ${type} frame in fragments`)
  if (isCompressed && first & 0x08) throw new Error(`a compressed ${type} frame`)
  if (second >= 0x80) throw new Error("a server must not mask")
  const [length, start] = readLength(bytes, second)
  if (length === undefined) return undefined
  if (first & 0x08 && length > 125) throw new Error(`a ${type} frame of ${length} bytes`)
  return { type, isLast, isCompressed, start, end: start + length }
}

function readLength(bytes: Buffer, short: number): [length: number | undefined, start: number] {
  if (short < 126) return [short, 2]
  const start = short === 126 ? 4 : 10
  if (bytes.length < start) return [undefined, start]
  const length = short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (length < (short === 126 ? 126 : 65_536)) throw new Error(`length ${length} is written too long`)
  return [length, start]
}
