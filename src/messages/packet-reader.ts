/**
 * Packets on their way out of frames: several in one, or one over several. What is whole in a frame is a view of it;
 * what is split is put together in memory of its own, which grows with what has arrived, never with what is announced.
 */

import { CodecError } from "../core/errors.js"
import type { Payload } from "../core/types.js"
import { type FrameReader, preview } from "../wire/codec.js"
import { COMPRESSED, type Packet, type PacketFormat } from "./packet-format.js"

type AnyPacket = Packet<number | string>

const NO_BYTES = /* @__PURE__ */ new Uint8Array(0)
/** So much room is taken at once for a packet that says it will be so large; more only with what has arrived. */
const FIRST_ROOM_BYTES = 4_096

type Take = (packet: AnyPacket) => void
type Fail = (error: unknown) => void

/** Reads the packets of one connection. */
export class PacketReader implements FrameReader<AnyPacket> {
  readonly #format: PacketFormat
  /** Room for the packet that was begun, and how much of it is there. */
  #begun = NO_BYTES
  #begunLength = 0
  /** How many bytes of a refused packet are still to come. */
  #skipping = 0

  constructor(format: PacketFormat) {
    this.#format = format
  }

  read(data: Payload, take: Take, fail: Fail): void {
    if (typeof data === "string") {
      const message = `expected a binary frame, got text: ${preview(data)}`
      throw new CodecError("DECODE_FAILED", message, preview(data))
    }
    let at = 0
    while (at < data.length) {
      if (this.#skipping > 0) at = this.#skip(data, at)
      else if (this.#begunLength > 0) at = this.#goOn(data, at, take, fail)
      else at = this.#readWhole(data, at, take, fail)
    }
    if (!this.#format.isSplit) this.#endStream(fail)
  }

  end(): void {
    this.#endStream((error) => {
      throw error
    })
  }

  /** Reads packets as long as they are whole, from the start of one. Returns where it stopped. */
  #readWhole(bytes: Uint8Array, start: number, take: Take, fail: Fail): number {
    const format = this.#format
    const { headerBytes, names, maxPayloadBytes } = format
    for (let at = start; at < bytes.length; ) {
      const payloadAt = at + headerBytes
      if (payloadAt > bytes.length) return this.#keep(bytes, at, bytes.length, headerBytes)
      const length = lengthAt(bytes, at, format)
      if (length > maxPayloadBytes || names?.has(typeAt(bytes, at, format)) === false) {
        this.#skipping = length
        fail(refusalOf(bytes.subarray(at, payloadAt), format))
        return payloadAt
      }
      const end = payloadAt + length
      if (end > bytes.length) return this.#keep(bytes, at, bytes.length, end - at)
      finish(bytes, at, end, format, take, fail)
      at = end
    }
    return bytes.length
  }

  /** Reads on in a packet that was begun: to the end of its header, or to its own. Returns where it stopped. */
  #goOn(bytes: Uint8Array, start: number, take: Take, fail: Fail): number {
    const { headerBytes } = this.#format
    const isHeaderWhole = this.#begunLength >= headerBytes
    const wanted = headerBytes + (isHeaderWhole ? lengthAt(this.#begun, 0, this.#format) : 0)
    const end = this.#keep(bytes, start, Math.min(bytes.length, start + wanted - this.#begunLength), wanted)
    if (this.#begunLength === wanted) this.#readWhole(this.#release(), 0, take, fail)
    return end
  }

  #skip(bytes: Uint8Array, start: number): number {
    const count = Math.min(this.#skipping, bytes.length - start)
    this.#skipping -= count
    return start + count
  }

  /** Copies bytes behind those of the packet that was begun, of so many as are known to be wanted. Returns where they end. */
  #keep(bytes: Uint8Array, start: number, end: number, wanted: number): number {
    const length = this.#begunLength + end - start
    if (length > this.#begun.length) {
      const larger = new Uint8Array(Math.min(wanted, Math.max(2 * length, FIRST_ROOM_BYTES)))
      larger.set(this.#begun.subarray(0, this.#begunLength))
      this.#begun = larger
    }
    this.#begun.set(bytes.subarray(start, end), this.#begunLength)
    this.#begunLength = length
    return end
  }

  /** Hands out what was begun, and its memory with it. */
  #release(): Uint8Array {
    const begun = this.#begun.subarray(0, this.#begunLength)
    this.#begun = NO_BYTES
    this.#begunLength = 0
    return begun
  }

  /** No more bytes will follow those there are. */
  #endStream(fail: Fail): void {
    if (this.#begunLength === 0 && this.#skipping === 0) return
    const begun = this.#release()
    this.#skipping = 0
    fail(new CodecError("PACKET_TRUNCATED", "the last packet is not complete", preview(begun)))
  }
}

function typeAt(bytes: Uint8Array, at: number, { typeBytes }: PacketFormat): number {
  return numberAt(bytes, at, typeBytes)
}

function lengthAt(bytes: Uint8Array, at: number, { typeBytes, lengthBytes }: PacketFormat): number {
  return numberAt(bytes, at + typeBytes, lengthBytes)
}

/** Byte by byte: a view of each header would cost more than all the rest. */
function numberAt(bytes: Uint8Array, at: number, width: number): number {
  let value = bytes[at] as number
  // not by shifting, which makes large numbers negative
  for (let i = 1; i < width; i += 1) value = value * 0x100 + (bytes[at + i] as number)
  return value
}

/** Why a packet is not read, as far as its header tells. */
function refusalOf(header: Uint8Array, format: PacketFormat): CodecError {
  const type = typeAt(header, 0, format)
  if (format.names?.has(type) === false)
    return new CodecError("PACKET_TYPE_UNKNOWN", `packet type ${type} is unknown`, preview(header))
  return tooBig(lengthAt(header, 0, format), format, preview(header))
}

/** Hands on the packet that lies there, whole. */
function finish(bytes: Uint8Array, at: number, end: number, format: PacketFormat, take: Take, fail: Fail) {
  const number = typeAt(bytes, at, format)
  const type = format.names?.get(number) ?? number
  const flags = bytes[at + format.headerBytes - 1] as number
  const payload = bytes.subarray(at + format.headerBytes, end)
  if (!format.compression || !(flags & COMPRESSED)) return take({ type, payload, flags })
  let whole: Uint8Array
  try {
    whole = decompress(payload, format)
  } catch (error) {
    fail(error)
    return
  }
  take({ type, payload: whole, flags: flags & ~COMPRESSED })
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
