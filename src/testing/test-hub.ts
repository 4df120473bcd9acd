/**
 * A hub for tests, on a real server and a free port of this machine, and clients for it. For Node.
 */

import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { ConnectError } from "../core/errors.js"
import type { Given } from "../core/options.js"
import { createHub, type Hub } from "../hub/hub.js"
import type { HubConnection } from "../hub/hub-connection.js"
import type { HubOptions } from "../hub/hub-options.js"
import { attach } from "../server/attach.js"
import type { AttachOptions } from "../server/attach-options.js"
import type { Attachment } from "../server/attachment.js"
import type { Codec } from "../wire/codec.js"
import { connectTestClient, type TestClient, type TestClientOptions } from "./test-client.js"

/** What a {@link TestHub} is made of. */
export interface TestHubOptions<Incoming, Outgoing, Data> {
  /** Options of the hub. @defaultValue a quick close, otherwise its own */
  readonly hub?: Given<HubOptions<Incoming, Outgoing>>
  /** Options of the attachment. @defaultValue its own */
  readonly attach?: Given<AttachOptions<Data>>
}

/** How a client of a {@link TestHub} connects. */
export interface TestHubConnectOptions<Incoming, Outgoing> extends TestClientOptions<Incoming, Outgoing> {
  /** The path, with its query. @defaultValue "/" */
  readonly path?: string
}

/** A client, and what the hub has of it. */
export interface TestPair<Incoming, Outgoing, Data> {
  /** The client's side. Its messages come in as the hub sends them. */
  readonly client: TestClient<Outgoing, Incoming>
  /** The hub's side. */
  readonly connection: HubConnection<Incoming, Outgoing, Data>
}

/**
 * Starts a hub on a free port of 127.0.0.1.
 *
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * await using server = await startTestHub<FromClient, FromServer>()
 * server.hub.on("message", ({ connection, data }) => connection.send(answer(data)))
 * const { client } = await server.connect()
 * client.send({ type: "hello" })
 * expect(await client.next()).toEqual({ type: "welcome" })
 */
export async function startTestHub<Incoming = unknown, Outgoing = unknown, Data = unknown>(
  options: TestHubOptions<Incoming, Outgoing, Data> = {},
): Promise<TestHub<Incoming, Outgoing, Data>> {
  const hub = createHub<Incoming, Outgoing, Data>({ closeTimeoutMs: 500, ...options.hub })
  const http = createServer()
  const attachment = attach(http, hub, options.attach)
  await new Promise<void>((resolve, reject) => {
    http.once("error", reject)
    http.listen(0, "127.0.0.1", resolve)
  })
  return new TestHub(hub, http, attachment, options.hub?.codec)
}

/** A hub that listens. Made by {@link startTestHub}. For Node. */
export class TestHub<Incoming, Outgoing, Data> implements AsyncDisposable {
  /** The hub. */
  readonly hub: Hub<Incoming, Outgoing, Data>
  /** The server it is attached to. */
  readonly http: Server
  /** How it is attached. */
  readonly attachment: Attachment
  readonly #codec: Codec<Incoming, Outgoing> | undefined
  /** Settles when the last client that was asked for has connected. Never rejects. */
  #connecting: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  /** @internal Use {@link startTestHub}. */
  constructor(
    hub: Hub<Incoming, Outgoing, Data>,
    http: Server,
    attachment: Attachment,
    codec: Codec<Incoming, Outgoing> | undefined,
  ) {
    this.hub = hub
    this.http = http
    this.attachment = attachment
    this.#codec = codec
  }

  /** The port it listens on. */
  get port(): number {
    return (this.http.address() as AddressInfo).port
  }

  /** Its address, without a path. */
  get url(): string {
    return `ws://127.0.0.1:${this.port}`
  }

  /**
   * Connects a client, with the codec of the hub unless told otherwise. Clients connect one after the other, however many
   * are asked for at once, so that each gets its own connection.
   * @throws ConnectError when the hub does not let it in.
   */
  connect(
    options: Given<TestHubConnectOptions<Outgoing, Incoming>> = {},
  ): Promise<TestPair<Incoming, Outgoing, Data>> {
    const pair = this.#connecting.then(() => this.#connect(options))
    this.#connecting = pair.catch(() => {})
    return pair
  }

  /** Closes the hub and the server. Calling it again changes nothing. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #connect({
    path = "/",
    codec = this.#codec as unknown as Codec<Outgoing, Incoming> | undefined, // a codec reads what it writes
    ...options
  }: Given<TestHubConnectOptions<Outgoing, Incoming>>): Promise<TestPair<Incoming, Outgoing, Data>> {
    let forget = () => {}
    const added = new Promise<HubConnection<Incoming, Outgoing, Data>>((resolve) => {
      forget = this.hub.once("connection", ({ connection }) => resolve(connection))
    })
    try {
      const url = new URL(path, this.url)
      const client = await connectTestClient<Outgoing, Incoming>(url, { ...options, codec })
      return { client, connection: await Promise.race([added, turnedAway(client)]) }
    } finally {
      forget()
    }
  }

  async #end(): Promise<void> {
    this.attachment.close()
    await this.hub.close()
    this.http.closeAllConnections()
    await new Promise((resolve) => this.http.close(resolve))
  }
}

/** Rejects when a client is closed by a server whose hub has never heard of it. */
async function turnedAway<Incoming, Outgoing>(client: TestClient<Incoming, Outgoing>): Promise<never> {
  const { code, reason } = await client.connection.closed
  throw new ConnectError(`the connection was accepted and closed with ${code}${reason && ` (${reason})`}`)
}
