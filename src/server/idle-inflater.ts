/**
 * Lets go of what `ws` keeps to inflate a client's messages, some 15 KB from the first compressed one on. It is for sockets that
 * agreed on no context takeover: what it keeps is then room to work in, and nothing of any message. It knows four private
 * members of that package, and does nothing where they are not there.
 */

interface Inflating {
  readonly _extensions?: { readonly "permessage-deflate"?: { _inflate?: { close?(): void } | null } }
  readonly _receiver?: {
    /** What it reads next: 0 for the beginning of a frame. */
    readonly _state?: number
    /** The kind of message of which there are more fragments to come; 0 for none. */
    readonly _fragmented?: number
  }
}

/** To be called when a client has been silent. In the middle of a message nothing is let go. */
export function releaseInflater(socket: object): void {
  const { _extensions: extensions, _receiver: receiver } = socket as Inflating
  const deflate = extensions?.["permessage-deflate"]
  if (!deflate?._inflate?.close || receiver?._state !== 0 || receiver._fragmented !== 0) return
  deflate._inflate.close()
  // made anew for the next message
  deflate._inflate = null
}
