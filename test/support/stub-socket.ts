/**
 * A server-side socket in the style of `ws` and the stream under it, both in memory: they record what a hub does to
 * them, and fail when told to. Light enough for a hundred thousand of them.
 */

import { EventEmitter } from "node:events"
import type { FrameStream, Payload, SocketLike } from "holdfast"

/** Completes the closing handshake by itself, at once, unless `isMute`. */
export class StubSocket extends EventEmitter implements SocketLike {
  readyState = 1
  bufferedAmount = 0
  protocol = ""
  extensions = ""
  /** A peer that answers nothing: neither pings nor closing handshakes. */
  isMute = false
  isPaused = false
  readonly pings: string[] = []
  readonly sent: Payload[] = []
  readonly closes: { readonly code: number; readonly reason: string }[] = []

  send(data: Payload, left?: () => void): void {
    this.sent.push(data)
    left?.()
  }

  ping(payload = ""): void {
    this.pings.push(payload)
    if (!this.isMute) this.emit("pong", Buffer.from(payload))
  }

  close(code = 1005, reason = ""): void {
    if (this.readyState > 1) return
    this.readyState = 2
    this.closes.push({ code, reason })
    if (!this.isMute) queueMicrotask(() => this.end(code, reason))
  }

  terminate(): void {
    this.end(1006)
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  /** A message of the peer comes in. */
  receive(data: Payload): void {
    this.emit("message", Buffer.from(data as string), typeof data !== "string")
  }

  /** The connection ends, as seen from here. */
  end(code = 1000, reason = ""): void {
    if (this.readyState === 3) return
    this.readyState = 3
    this.emit("close", code, Buffer.from(reason))
  }
}

/** Hands everything to the kernel at once, unless stalled. */
export class StubStream extends EventEmitter implements FrameStream {
  writableLength = 0
  writableHighWaterMark = 16_384
  readonly writes: Uint8Array[] = []
  #isStalled = false
  #unleft: (() => void)[] = []

  write(bytes: Uint8Array, callback?: () => void): boolean {
    this.writes.push(bytes)
    if (!this.#isStalled) callback?.()
    else {
      this.writableLength += bytes.byteLength
      if (callback) this.#unleft.push(callback)
    }
    return this.writableLength < this.writableHighWaterMark
  }

  /** The peer reads no more: whatever is written from now on stays here. */
  stall(): void {
    this.#isStalled = true
  }

  /** The peer has read everything, and goes on reading. */
  unstall(): void {
    this.#isStalled = false
    this.writableLength = 0
    for (const left of this.#unleft.splice(0)) left()
    this.emit("drain")
  }
}

/** The messages in a run of frames as a server writes them: whole, unmasked (RFC 6455, section 5.2). */
export function decodeFrames(chunks: readonly Uint8Array[]): Payload[] {
  const bytes = Buffer.concat(chunks)
  const messages: Payload[] = []
  let at = 0
  while (at < bytes.length) {
    const [length, start] = payloadAt(bytes, at)
    const payload = bytes.subarray(start, start + length)
    messages.push(bytes[at] === 0x81 ? payload.toString() : payload)
    at = start + length
  }
  return messages
}

function payloadAt(bytes: Buffer, at: number): [length: number, start: number] {
  const short = bytes.readUInt8(at + 1)
  if (short === 126) return [bytes.readUInt16BE(at + 2), at + 4]
  if (short === 127) return [Number(bytes.readBigUInt64BE(at + 2)), at + 10]
  return [short, at + 2]
}
