/**
 * A strict reader of WebSocket frames (RFC 6455, section 5.2), written from the RFC and not from the library: it
 * throws for whatever a server may not send to a client.
 */

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
  readonly payload: Buffer
}

/** Reads frames from chunks of bytes, however they are cut. */
export class FrameParser {
  #rest = Buffer.alloc(0)

  /** Whether every byte so far belongs to a whole frame. */
  get isAtBoundary(): boolean {
    return this.#rest.length === 0
  }

  /** The frames that these bytes complete. */
  push(chunk: Uint8Array): ParsedFrame[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const frames: ParsedFrame[] = []
    for (let frame = this.#next(); frame; frame = this.#next()) frames.push(frame)
    return frames
  }

  #next(): ParsedFrame | undefined {
    const header = readHeader(this.#rest)
    if (!header || this.#rest.length < header.end) return undefined
    const payload = this.#rest.subarray(header.start, header.end)
    this.#rest = this.#rest.subarray(header.end)
    if (header.type === "text") new TextDecoder("utf-8", { fatal: true }).decode(payload)
    return { type: header.type, payload }
  }
}

/** The frames in one piece of bytes. Throws when it ends within a frame. */
export function parseFrames(...chunks: readonly Uint8Array[]): ParsedFrame[] {
  const parser = new FrameParser()
  const frames = chunks.flatMap((chunk) => parser.push(chunk))
  if (!parser.isAtBoundary) throw new Error("the bytes end within a frame")
  return frames
}

interface Header {
  readonly type: ParsedFrame["type"]
  readonly start: number
  readonly end: number
}

function readHeader(bytes: Buffer): Header | undefined {
  const [first, second] = bytes
  if (first === undefined || second === undefined) return undefined
  const type = TYPES[first & 0x0f]
  if (!type) throw new Error(`no such opcode: ${first & 0x0f}`)
  if ((first & 0xf0) !== 0x80) throw new Error(`not a whole frame, or a reserved bit: ${first.toString(16)}`)
  if (second >= 0x80) throw new Error("a server must not mask")
  const [length, start] = readLength(bytes, second)
  if (length === undefined) return undefined
  if (first & 0x08 && length > 125) throw new Error(`a ${type} frame of ${length} bytes`)
  return { type, start, end: start + length }
}

function readLength(bytes: Buffer, short: number): [length: number | undefined, start: number] {
  if (short < 126) return [short, 2]
  const start = short === 126 ? 4 : 10
  if (bytes.length < start) return [undefined, start]
  const length = short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (length < (short === 126 ? 126 : 65_536)) throw new Error(`length ${length} is written too long`)
  return [length, start]
}
