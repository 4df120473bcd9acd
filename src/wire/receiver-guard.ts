/**
 * Stops the frame reader of `ws` where it has found a breach. Bytes that came in while a message was being inflated, or while
 * an event waited for its turn, are handed to it all the same, and version 8.23.0 reads on in a state that is none: an error
 * nobody can catch. It knows three private members of that package, and does nothing where they are not there.
 */

import { hasDeflate, type SocketLike } from "./socket.js"

interface Receiver {
  /** Whether a breach was found. */
  readonly _errored: boolean
  /** Whether it tells of a message at once; by `allowSynchronousEvents: false` each takes a turn of the event loop. */
  readonly _allowSynchronousEvents?: boolean
  /** Reads a piece of the stream (`Writable`). */
  _write(chunk: Uint8Array, encoding: string, done: (error?: Error | null) => void): void
}

/** Lets the reader of this socket, if it has one that ever waits, drop what follows a breach. */
export function guardReceiver(socket: SocketLike): void {
  const { _receiver: receiver } = socket as { _receiver?: Partial<Receiver> | undefined }
  if (!isReceiver(receiver)) return
  // one that never waits is never handed anything behind a breach, and need not have a function of its own
  if (receiver._allowSynchronousEvents === true && !hasDeflate(socket)) return
  const write = receiver._write
  receiver._write = (chunk, encoding, done) => {
    if (receiver._errored) done()
    else write.call(receiver, chunk, encoding, done)
  }
}

function isReceiver(receiver: Partial<Receiver> | undefined): receiver is Receiver {
  return typeof receiver?._write === "function" && typeof receiver._errored === "boolean"
}
