/**
 * Frames as a client sends them, right or wrong: every bit of the header can be chosen (RFC 6455, section 5.2).
 */

import { constants, deflateRawSync } from "node:zlib"

/** The opcodes (RFC 6455, section 5.2). */
export const Opcode = Object.freeze({
  CONTINUATION: 0x0,
  TEXT: 0x1,
  BINARY: 0x2,
  CLOSE: 0x8,
  PING: 0x9,
  PONG: 0xa,
})

/** The reserved bits, as they stand in the first byte. */
export const Reserved = Object.freeze({ RSV1: 0x40, RSV2: 0x20, RSV3: 0x10 })

/** What can be wrong with a frame; what is left out is right. */
export interface FrameParts {
  /** Whether it is the last of its message. @defaultValue true */
  readonly fin?: boolean
  /** Reserved bits that are set. @defaultValue 0 */
  readonly reserved?: number
  /** The mask; `false` for none. @defaultValue four bytes, none of them 0 */
  readonly mask?: readonly number[] | false
  /** The length the header claims. @defaultValue that of the payload */
  readonly length?: number | bigint
  /** In how many bits the length is written. @defaultValue as few as hold it */
  readonly lengthBits?: 7 | 16 | 64
}

/** One frame. A string is its UTF-8. */
export function frame(
  opcode: number,
  payload: string | Iterable<number> = "",
  parts: FrameParts = {},
): Buffer {
  const { fin = true, reserved = 0, mask = [0x1f, 0x2e, 0x3d, 0x4c] } = parts
  const body = typeof payload === "string" ? Buffer.from(payload) : Buffer.from([...payload])
  const length = parts.length ?? body.length
  const first = (fin ? 0x80 : 0) | reserved | opcode
  const head = [first, ...lengthBytes(length, parts.lengthBits ?? bitsOf(length), mask !== false)]
  if (mask === false) return Buffer.concat([Buffer.from(head), body])
  const masked = body.map((byte, index) => byte ^ (mask[index % 4] as number))
  return Buffer.concat([Buffer.from(head), Buffer.from(mask), masked])
}

/** A whole text message. */
export const text = (payload: string | Iterable<number> = "", parts?: FrameParts): Buffer =>
  frame(Opcode.TEXT, payload, parts)

/** A whole binary message. */
export const binary = (payload: string | Iterable<number> = "", parts?: FrameParts): Buffer =>
  frame(Opcode.BINARY, payload, parts)

/** A continuation. */
export const more = (payload: string | Iterable<number> = "", parts?: FrameParts): Buffer =>
  frame(Opcode.CONTINUATION, payload, parts)

/** A ping. */
export const ping = (payload: string | Iterable<number> = "", parts?: FrameParts): Buffer =>
  frame(Opcode.PING, payload, parts)

/** A pong. */
export const pong = (payload: string | Iterable<number> = "", parts?: FrameParts): Buffer =>
  frame(Opcode.PONG, payload, parts)

/** A close frame with a code. */
export function close(code: number, reason: string | Iterable<number> = "", parts?: FrameParts): Buffer {
  const text = typeof reason === "string" ? Buffer.from(reason) : reason
  return frame(Opcode.CLOSE, [code >> 8, code & 0xff, ...text], parts)
}

/** A message in so many frames of so many bytes each. */
export function fragments(count: number, bytesEach: number): Buffer {
  const part = (index: number) =>
    frame(index === 0 ? Opcode.TEXT : Opcode.CONTINUATION, "x".repeat(bytesEach), {
      fin: index === count - 1,
    })
  return Buffer.concat(Array.from({ length: count }, (_, index) => part(index)))
}

/** The same frame so many times. */
export function times(count: number, it: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => it))
}

/** What a message is compressed to (RFC 7692, section 7.2.1). */
export function deflated(message: string | Uint8Array, windowBits = 15): Buffer {
  const bytes = deflateRawSync(message, { windowBits, finishFlush: constants.Z_SYNC_FLUSH })
  return bytes.subarray(0, -4)
}

function bitsOf(length: number | bigint): 7 | 16 | 64 {
  if (length < 126) return 7
  return length < 65_536 ? 16 : 64
}

function lengthBytes(length: number | bigint, bits: 7 | 16 | 64, isMasked: boolean): readonly number[] {
  const maskBit = isMasked ? 0x80 : 0
  if (bits === 7) return [maskBit | Number(length)]
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(length)))
  return bits === 16 ? [maskBit | 126, ...bytes.subarray(6)] : [maskBit | 127, ...bytes]
}
