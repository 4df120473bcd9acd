/**
 * Finds the frames in what a peer sends (RFC 6455, section 5.2), as fast as one loop can. It takes whole text
 * messages in single frames and the control frames between them, which is all that the programs of the bench send.
 */

const TEXT = 0x1
const CLOSE = 0x8
const PING = 0x9
const PONG = 0xa
const FIN = 0x80
const RSV1 = 0x40
const MASKED = 0x80
const MASK_BYTES = 4

/** Hears what a {@link FrameReader} finds. The bytes are only good during the call. */
export interface FrameListener {
  /** The payload of a text message, from `start` to `end`. */
  message(bytes: Buffer, start: number, end: number): void
  /** The payload of one that was compressed (RFC 7692). Without this it is refused. */
  compressed?(bytes: Buffer, start: number, end: number): void
  /** A ping, which wants its payload back. */
  ping(payload: Buffer): void
}

/** Reads the frames of one connection, however they are cut into chunks. */
export class FrameReader {
  readonly #listener: FrameListener
  #rest: Buffer | undefined

  constructor(listener: FrameListener) {
    this.#listener = listener
  }

  /**
   * Takes the next bytes. They are not kept; masked ones are unmasked where they are.
   * @throws Error for a frame that no program of the bench should send.
   */
  read(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    while (at < bytes.length) {
      const end = this.#frame(bytes, at)
      if (end === undefined) break
      at = end
    }
    this.#rest = at < bytes.length ? Buffer.from(bytes.subarray(at)) : undefined
  }

  /** Reads the frame that starts there. Returns where it ends; `undefined` when it is not all there. */
  #frame(bytes: Buffer, at: number): number | undefined {
    const left = bytes.length - at
    if (left < 2) return undefined
    const second = bytes[at + 1] as number
    const short = second & 0x7f
    const isMasked = second >= MASKED
    const lengthEnd = short < 126 ? 2 : short === 126 ? 4 : 10
    const header = isMasked ? lengthEnd + MASK_BYTES : lengthEnd
    if (left < header) return undefined
    const length =
      lengthEnd === 2 ? short : lengthEnd === 4 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6)
    const start = at + header
    const end = start + length
    if (left < header + length) return undefined
    if (isMasked) unmask(bytes, start, end)
    this.#take(bytes[at] as number, bytes, start, end)
    return end
  }

  #take(head: number, bytes: Buffer, start: number, end: number): void {
    const listener = this.#listener
    if (head === (FIN | TEXT)) listener.message(bytes, start, end)
    else if (head === (FIN | RSV1 | TEXT) && listener.compressed) listener.compressed(bytes, start, end)
    else if (head === (FIN | PING)) listener.ping(Buffer.from(bytes.subarray(start, end)))
    else if (head === (FIN | CLOSE)) throw new Error("the peer closed the connection")
    else if (head !== (FIN | PONG)) throw new Error(`a frame that starts with 0x${head.toString(16)}`)
  }
}

/** With the four bytes before it (RFC 6455, section 5.3). */
function unmask(bytes: Buffer, start: number, end: number): void {
  const mask = start - MASK_BYTES
  for (let i = start; i < end; i += 1) {
    bytes[i] = (bytes[i] as number) ^ (bytes[mask + ((i - start) & 3)] as number)
  }
}
