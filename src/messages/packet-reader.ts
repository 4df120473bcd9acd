/**
 * Packets on their way out of frames: several in one, or one over several. What is whole in a frame is a view of it;
 * what is split is put together in memory of its own, which grows with what has arrived, never with what is announced.
 */

import { CodecError } from "../core/errors.js"
import type { Payload } from "../core/types.js"
import { type FrameReader, preview } from "../wire/codec.js"
import { COMPRESSED, type Packet, type PacketFormat } from "./packet-format.js"

type AnyPacket = Packet<number | string>

/** What the header of a packet says. */
interface Header {
  readonly type: number
  readonly length: number
  readonly flags: number
}

/** Where packets and problems go, in the order of the bytes. */
interface Output {
  readonly take: (packet: AnyPacket) => void
  readonly fail: (error: unknown) => void
}

/** Reads the packets of one connection. */
export class PacketReader implements FrameReader<AnyPacket> {
  readonly #format: PacketFormat
  /** Room for the packet that was begun, and how much of it is there. */
  #begun = new Uint8Array(0)
  #begunLength = 0
  /** How many bytes of a refused packet are still to come. */
  #skipping = 0

  constructor(format: PacketFormat) {
    this.#format = format
  }

  read(data: Payload, take: (packet: AnyPacket) => void, fail: (error: unknown) => void): void {
    if (typeof data === "string") {
      const message = `expected a binary frame, got text: ${preview(data)}`
      throw new CodecError("DECODE_FAILED", message, preview(data))
    }
    const output = { take, fail }
    let rest = data
    while (rest.length > 0) {
      if (this.#skipping > 0) rest = this.#skip(rest)
      else if (this.#begunLength > 0) rest = this.#goOn(rest, output)
      else rest = this.#begin(rest, output)
    }
    if (!this.#format.isSplit) this.#endStream(fail)
  }

  end(): void {
    this.#endStream((error) => {
      throw error
    })
  }

  /** Reads from the start of a packet. Returns what is behind it. */
  #begin(bytes: Uint8Array, output: Output): Uint8Array {
    const { headerBytes } = this.#format
    if (bytes.length < headerBytes) return this.#keep(bytes)
    const header = readHeader(bytes, this.#format)
    const end = headerBytes + header.length
    const refusal = refusalOf(header, bytes, this.#format)
    if (refusal) {
      this.#skipping = header.length
      output.fail(refusal)
      return bytes.subarray(headerBytes)
    }
    if (bytes.length < end) return this.#keep(bytes)
    finish(header, bytes.subarray(headerBytes, end), this.#format, output)
    return bytes.subarray(end)
  }

  /** Reads on in a packet that was begun: to the end of its header, or to its own. Returns what is behind that. */
  #goOn(bytes: Uint8Array, output: Output): Uint8Array {
    const { headerBytes } = this.#format
    const isHeaderWhole = this.#begunLength >= headerBytes
    const wanted = headerBytes + (isHeaderWhole ? readHeader(this.#begun, this.#format).length : 0)
    const missing = bytes.subarray(0, wanted - this.#begunLength)
    this.#keep(missing)
    if (this.#begunLength === wanted) this.#begin(this.#release(), output)
    return bytes.subarray(missing.length)
  }

  #skip(bytes: Uint8Array): Uint8Array {
    const count = Math.min(this.#skipping, bytes.length)
    this.#skipping -= count
    return bytes.subarray(count)
  }

  /** Copies bytes behind those of the packet that was begun. Returns the rest, which is empty. */
  #keep(bytes: Uint8Array): Uint8Array {
    const length = this.#begunLength + bytes.length
    if (length > this.#begun.length) {
      const larger = new Uint8Array(Math.max(length, this.#begun.length * 2))
      larger.set(this.#begun.subarray(0, this.#begunLength))
      this.#begun = larger
    }
    this.#begun.set(bytes, this.#begunLength)
    this.#begunLength = length
    return bytes.subarray(bytes.length)
  }

  /** Hands out what was begun, and its memory with it. */
  #release(): Uint8Array {
    const begun = this.#begun.subarray(0, this.#begunLength)
    this.#begun = new Uint8Array(0)
    this.#begunLength = 0
    return begun
  }

  /** No more bytes will follow those there are. */
  #endStream(fail: (error: CodecError) => void): void {
    const begun = this.#release()
    const isCut = begun.length > 0 || this.#skipping > 0
    this.#skipping = 0
    if (isCut) fail(new CodecError("PACKET_TRUNCATED", "the last packet is not complete", preview(begun)))
  }
}

function readHeader(bytes: Uint8Array, { typeBytes, lengthBytes }: PacketFormat): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    type: readNumber(view, 0, typeBytes),
    length: readNumber(view, typeBytes, lengthBytes),
    flags: view.getUint8(typeBytes + lengthBytes),
  }
}

function readNumber(view: DataView, offset: number, bytes: number): number {
  if (bytes === 1) return view.getUint8(offset)
  return bytes === 2 ? view.getUint16(offset) : view.getUint32(offset)
}

/** Why a packet is not read, as far as its header tells. */
function refusalOf(
  { type, length }: Header,
  bytes: Uint8Array,
  format: PacketFormat,
): CodecError | undefined {
  const start = () => preview(bytes.subarray(0, format.headerBytes))
  if (format.names?.has(type) === false)
    return new CodecError("PACKET_TYPE_UNKNOWN", `packet type ${type} is unknown`, start())
  return length > format.maxPayloadBytes ? tooBig(length, format, start()) : undefined
}

function finish(header: Header, payload: Uint8Array, format: PacketFormat, { take, fail }: Output): void {
  let packet: AnyPacket
  try {
    packet = open(header, payload, format)
  } catch (error) {
    fail(error)
    return
  }
  take(packet)
}

function open({ type, flags }: Header, payload: Uint8Array, format: PacketFormat): AnyPacket {
  const { names, compression } = format
  const name = names?.get(type) ?? type
  if (!compression || !(flags & COMPRESSED)) return { type: name, payload, flags }
  return { type: name, payload: decompress(payload, format), flags: flags & ~COMPRESSED }
}

function decompress(payload: Uint8Array, format: PacketFormat): Uint8Array {
  let whole: Uint8Array | undefined
  try {
    whole = format.compression?.decompress(payload, format.maxPayloadBytes) ?? payload
  } catch (cause) {
    const message = `payload of ${payload.length} bytes cannot be decompressed`
    throw new CodecError("DECODE_FAILED", message, preview(payload), { cause })
  }
  if (whole.length > format.maxPayloadBytes) throw tooBig(whole.length, format, preview(payload))
  return whole
}

function tooBig(length: number, { maxPayloadBytes }: PacketFormat, start: string): CodecError {
  return new CodecError("PACKET_TOO_BIG", `packet of ${length} bytes, above ${maxPayloadBytes}`, start)
}
