/**
 * Finds the frames in what a server sends (RFC 6455, section 5.2), as fast as one loop can. It takes whole text
 * messages in single frames and the control frames between them, which is all that the servers of the bench send.
 */

const TEXT = 0x1
const CLOSE = 0x8
const PING = 0x9
const PONG = 0xa

/** Hears what a {@link FrameReader} finds. The bytes are only good during the call. */
export interface FrameListener {
  /** The payload of a text message, from `start` to `end`. */
  message(bytes: Buffer, start: number, end: number): void
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
   * Takes the next bytes. They are not kept.
   * @throws Error for a frame that no server of the bench should send.
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
    const short = bytes[at + 1] as number
    const header = short < 126 ? 2 : short === 126 ? 4 : 10
    if (left < header) return undefined
    const length =
      header === 2 ? short : header === 4 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6)
    if (left < header + length) return undefined
    this.#take(bytes[at] as number, bytes, at + header, at + header + length)
    return at + header + length
  }

  #take(head: number, bytes: Buffer, start: number, end: number): void {
    if (head === (0x80 | TEXT)) this.#listener.message(bytes, start, end)
    else if (head === (0x80 | PING)) this.#listener.ping(Buffer.from(bytes.subarray(start, end)))
    else if (head === (0x80 | CLOSE)) throw new Error("the server closed the connection")
    else if (head !== (0x80 | PONG)) throw new Error(`a frame that starts with 0x${head.toString(16)}`)
  }
}
