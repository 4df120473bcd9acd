/**
 * Stops the frame reader of `ws` where it has found a breach. Bytes that came in while a message was being inflated are
 * handed to it all the same, and version 8.23.0 reads on in a state that is none: an error nobody can catch. It knows
 * two private members of that package, and does nothing where they are not there.
 */

interface Receiver {
  /** Whether a breach was found. */
  readonly _errored: boolean
  /** Reads a piece of the stream (`Writable`). */
  _write(chunk: Uint8Array, encoding: string, done: (error?: Error | null) => void): void
}

/** Lets the reader of this socket, if it has one, drop what follows a breach. */
export function guardReceiver(socket: object): void {
  const { _receiver: receiver } = socket as { _receiver?: Partial<Receiver> | undefined }
  if (!isReceiver(receiver)) return
  const write = receiver._write
  receiver._write = (chunk, encoding, done) => {
    if (receiver._errored) done()
    else write.call(receiver, chunk, encoding, done)
  }
}

function isReceiver(receiver: Partial<Receiver> | undefined): receiver is Receiver {
  return typeof receiver?._write === "function" && typeof receiver._errored === "boolean"
}
