/**
 * What an exchange and its workers say to each other, and how one of them reaches the other. Messages are plain objects
 * beside those of the application, which never have a `holdfast` of their own.
 */

/** From a worker to the exchange. */
export type ToExchange =
  | { readonly holdfast: "open"; readonly link: string; readonly check: Uint8Array }
  | {
      readonly holdfast: "subscribe" | "unsubscribe"
      readonly link: string
      readonly id: number
      readonly subjects: readonly string[]
    }
  | ({ readonly holdfast: "publish"; readonly link: string; readonly id: number } & Parcels)
  /** So many bytes have been read since the last time. */
  | { readonly holdfast: "read"; readonly link: string; readonly bytes: number }
  | { readonly holdfast: "close"; readonly link: string }

/** From the exchange to a worker. */
export type ToWorker =
  | { readonly holdfast: "opened" | "closed"; readonly link: string }
  | { readonly holdfast: "refused"; readonly link: string; readonly reason: string }
  | { readonly holdfast: "done"; readonly link: string; readonly id: number }
  | ({ readonly holdfast: "deliver"; readonly link: string } & Parcels)

/** Messages, in their order: the n-th subject belongs to the n-th payload. */
export interface Parcels {
  readonly subjects: readonly string[]
  readonly payloads: readonly Uint8Array[]
}

/** A worker of `node:cluster` or of `child_process.fork`, or the parent of one. */
export interface ProcessLike {
  /** Sends a message. */
  send?(message: never, callback: (error: Error | null) => void): unknown
  /** Adds a listener. */
  on(event: string, listener: (message: unknown) => void): unknown
  /** Removes a listener. */
  off(event: string, listener: (message: unknown) => void): unknown
}

/** A worker thread, its parent's port, or any `MessagePort` of `node:worker_threads`. */
export interface PortLike {
  /** Sends a message. */
  postMessage(message: never, transfer?: never): void
  /** Adds a listener. */
  on(event: string, listener: (message: unknown) => void): unknown
  /** Removes a listener. */
  off(event: string, listener: (message: unknown) => void): unknown
}

/** A payload of so many bytes is moved to another thread rather than copied. */
const MOVED_BYTES = 16_384

/** One way between an exchange and a worker. */
export interface Way<Out> {
  /** Sends a message. What cannot be sent is lost without a word: `ended` tells. */
  post(message: Out, isLast?: boolean): void
  /** Listens, until what is returned is called. */
  listen(take: (message: unknown) => void, ended: () => void): () => void
}

/** The way over a process or a port; `undefined` when it is neither. */
export function wayOver<Out extends ToExchange | ToWorker>(peer: unknown): Way<Out> | undefined {
  const { send, postMessage, on, off } = (peer ?? {}) as Partial<ProcessLike & PortLike>
  if (typeof on !== "function" || typeof off !== "function") return undefined
  if (typeof postMessage === "function") return overPort(peer as PortLike)
  return typeof send === "function" ? overProcess(peer as ProcessLike) : undefined
}

function overProcess<Out>(peer: ProcessLike): Way<Out> {
  return {
    // without a callback a failure would be an `error` event of the process
    post: (message) => void peer.send?.(message as never, () => {}),
    listen: (take, ended) => listen(peer, take, ended, ["disconnect", "exit"]),
  }
}

function overPort<Out extends ToExchange | ToWorker>(peer: PortLike): Way<Out> {
  return {
    post(message, isLast = true) {
      const payloads = "payloads" in message ? message.payloads.map(alone) : []
      const moved = isLast ? payloads.filter((it) => it.byteLength >= MOVED_BYTES) : []
      const whole = payloads.length > 0 ? { ...message, payloads } : message
      peer.postMessage(whole as never, moved.map(({ buffer }) => buffer) as never)
    },
    listen: (take, ended) => listen(peer, take, ended, ["close", "exit"]),
  }
}

/** A copy, where there are other bytes in the same memory: those would be sent too. */
function alone(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes)
}

function listen(
  peer: ProcessLike | PortLike,
  take: (message: unknown) => void,
  ended: () => void,
  ends: readonly string[],
): () => void {
  peer.on("message", take)
  for (const event of ends) peer.on(event, ended)
  return () => {
    peer.off("message", take)
    for (const event of ends) peer.off(event, ended)
  }
}

/** A message of ours; `undefined` for those of the application. */
export function ours<Message extends ToExchange | ToWorker>(message: unknown): Message | undefined {
  const { holdfast, link } = (message ?? {}) as { holdfast?: unknown; link?: unknown }
  return typeof holdfast === "string" && typeof link === "string" ? (message as Message) : undefined
}

/** What a message takes beside its payload and its subject while it waits, about, in bytes. */
const PARCEL_BYTES = 128

/** What parcels weigh, for who reads them and who counts what is unread: small ones weigh too. */
export function sizeOf({ subjects, payloads }: Parcels): number {
  return payloads.reduce(
    (sum, { byteLength }, i) => sum + byteLength + (subjects[i]?.length ?? 0) + PARCEL_BYTES,
    0,
  )
}
