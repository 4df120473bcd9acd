/**
 * A client for tests: what has come in waits until the test asks for it, and a test that asks in vain is told so instead of
 * hanging. It connects once.
 */

import type { ErrorEvent } from "../core/emitter.js"
import { checkMs, type Given } from "../core/options.js"
import { type Clock, systemClock, Timer } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import { type Codec, json } from "../wire/codec.js"
import type { Connection } from "../wire/connection.js"
import type { CloseInfo } from "../wire/connection-events.js"
import { type DialOptions, dial } from "../wire/dial.js"

/** How a {@link TestClient} connects and waits. */
export interface TestClientOptions<Incoming = unknown, Outgoing = unknown>
  extends DialOptions<Incoming, Outgoing> {
  /** How long `next()` and its kin wait, in milliseconds. @defaultValue 1_000 */
  readonly timeoutMs?: number
}

/** A frame as it is, past the codec: what {@link TestClient.sendRaw} makes. */
export class RawFrame {
  /** A string for a text frame, bytes for a binary one. */
  readonly payload: Payload

  /** @internal Use {@link TestClient.sendRaw}. */
  constructor(payload: Payload) {
    this.payload = payload
  }
}

/** What came in: a message, or a frame that could not be decoded. */
type Arrival<Incoming> = { readonly message: Incoming } | { readonly error: unknown }

interface Reader<Incoming> {
  resolve(message: Incoming): void
  reject(error: unknown): void
}

/**
 * Connects a client for tests.
 *
 * @param url - Where to dial.
 * @throws ConnectError when that fails, with the HTTP status of a refusal where the platform shows it.
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * await using client = await connectTestClient(server.url)
 * client.send({ type: "hello" })
 * expect(await client.next()).toEqual({ type: "welcome" })
 */
export async function connectTestClient<Incoming = unknown, Outgoing = unknown>(
  url: string | URL,
  options: Given<TestClientOptions<Incoming, Outgoing>> = {},
): Promise<TestClient<Incoming, Outgoing>> {
  const { timeoutMs = 1_000, codec = json<Incoming, Outgoing>(), ...rest } = options
  checkMs("connectTestClient.timeoutMs", timeoutMs, 1)
  const connection = await dial<Incoming, Outgoing | RawFrame>(url, {
    logger: false,
    ...(rest as Given<DialOptions<Incoming, Outgoing | RawFrame>>),
    codec: withRaw(codec),
  })
  return new TestClient(connection, timeoutMs, options.clock ?? systemClock)
}

/** A connection whose messages wait to be asked for. Made by {@link connectTestClient}. */
export class TestClient<Incoming = unknown, Outgoing = unknown> implements AsyncDisposable {
  /** The connection under it. */
  readonly connection: Connection<Incoming, Outgoing | RawFrame>
  readonly #timeoutMs: number
  readonly #clock: Clock
  readonly #arrivals: Arrival<Incoming>[] = []
  readonly #readers: Reader<Incoming>[] = []
  #end: CloseInfo | undefined

  /** @internal Use {@link connectTestClient}. */
  constructor(connection: Connection<Incoming, Outgoing | RawFrame>, timeoutMs: number, clock: Clock) {
    this.connection = connection
    this.#timeoutMs = timeoutMs
    this.#clock = clock
    connection.on("message", ({ data }) => this.#arrived({ message: data }))
    connection.on("error", (event) => this.#failed(event))
    connection.on("close", (info) => this.#ended(info))
  }

  /** How many messages have come in that nobody has asked for. */
  get waiting(): number {
    return this.#arrivals.length
  }

  /**
   * Sends a message.
   * @throws CodecError when the codec cannot encode it.
   */
  send(message: Outgoing): void {
    this.connection.send(message)
  }

  /** Sends a frame as it is: a string as text, bytes as binary. For input that no codec would make. */
  sendRaw(payload: Payload): void {
    this.connection.send(new RawFrame(payload))
  }

  /**
   * The next message, in order of arrival. Rejects when none comes in time, when the connection has ended and there is none
   * left, and with a `CodecError` where a frame came that could not be decoded.
   */
  next(timeoutMs = this.#timeoutMs): Promise<Incoming> {
    const arrival = this.#arrivals.shift()
    if (arrival) return "error" in arrival ? Promise.reject(arrival.error) : Promise.resolve(arrival.message)
    if (this.#end) return Promise.reject(endError(this.#end))
    return this.#inTime("message", timeoutMs, (reader) => {
      this.#readers.push(reader)
      return () => void this.#readers.splice(this.#readers.indexOf(reader), 1)
    })
  }

  /** The next so many messages. Rejects as {@link next} does; each has the whole time. */
  async take(count: number, timeoutMs = this.#timeoutMs): Promise<Incoming[]> {
    const messages: Incoming[] = []
    while (messages.length < count) messages.push(await this.next(timeoutMs))
    return messages
  }

  /** How the connection ended. Rejects when it does not in time. */
  closed(timeoutMs = this.#timeoutMs): Promise<CloseInfo> {
    return this.#inTime<CloseInfo>("end of the connection", timeoutMs, ({ resolve }) => {
      void this.connection.closed.then(resolve)
      return () => {}
    })
  }

  /** Closes the connection, and resolves with how that ended. */
  close(code?: number, reason?: string): Promise<CloseInfo> {
    return this.connection.close(code, reason)
  }

  /** Ends the connection at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.terminate()
    await this.connection.closed
  }

  async #inTime<T>(what: string, timeoutMs: number, wait: (reader: Waiter<T>) => () => void): Promise<T> {
    // made here, so that its stack leads to the test
    const late = new Error(`no ${what} within ${timeoutMs} ms`)
    return new Promise<T>((resolve, reject) => {
      const timer = new Timer(this.#clock, () => {
        forget()
        reject(late)
      })
      const settled =
        <V>(settle: (value: V) => void) =>
        (value: V) => {
          timer.stop()
          settle(value)
        }
      const forget = wait({ resolve: settled(resolve), reject: settled(reject) })
      timer.start(timeoutMs)
    })
  }

  #arrived(arrival: Arrival<Incoming>): void {
    const reader = this.#readers.shift()
    if (!reader) this.#arrivals.push(arrival)
    else if ("error" in arrival) reader.reject(arrival.error)
    else reader.resolve(arrival.message)
  }

  #failed({ error, stage }: ErrorEvent): void {
    // that a socket failed is said by its close
    if (stage === "decode") this.#arrived({ error })
  }

  #ended(info: CloseInfo): void {
    this.#end = info
    for (const reader of this.#readers.splice(0)) reader.reject(endError(info))
  }
}

interface Waiter<T> {
  resolve(value: T): void
  reject(error: unknown): void
}

function endError({ code, reason }: CloseInfo): Error {
  return new Error(`no message any more: the connection ended with ${code}${reason && ` (${reason})`}`)
}

/** The same codec, past which frames can be sent as they are. */
function withRaw<Incoming, Outgoing>(codec: Codec<Incoming, Outgoing>): Codec<Incoming, Outgoing | RawFrame> {
  const reader = codec.reader?.bind(codec)
  return {
    ...(codec.literalPing && { literalPing: codec.literalPing }),
    encode: (message) => (message instanceof RawFrame ? message.payload : codec.encode(message)),
    decode: (data) => codec.decode(data),
    ...(reader && { reader }),
  }
}
