/**
 * Many connections, in rooms. The hub decides who a message goes to and hands every receiver the same frame;
 * how it is sent is the connection's business, and how it reaches other nodes the adapter's.
 */

import { CloseCode } from "../core/close-codes.js"
import { Emitter, loggable } from "../core/emitter.js"
import { isLevelOn } from "../core/logger.js"
import type { Given } from "../core/options.js"
import type { CompressionSettings } from "../wire/compression.js"
import type { CloseInfo } from "../wire/connection-events.js"
import { type ConnectionOptions, type ConnectionSettings, randomId } from "../wire/connection-options.js"
import { Heartbeat } from "../wire/heartbeat.js"
import type { SocketLike } from "../wire/socket.js"
import type { Adapter } from "./adapter.js"
import { EVERYBODY, roomChannel, userChannel } from "./channel.js"
import { Cluster } from "./cluster.js"
import { Dispatcher } from "./dispatcher.js"
import { type ConnectionHost, HubConnection } from "./hub-connection.js"
import { HubCounters } from "./hub-counters.js"
import type { HubErrorEvent, HubEvents } from "./hub-events.js"
import { HubLog, whose } from "./hub-log.js"
import { checkCloseCode, type HubOptions, resolveHub } from "./hub-options.js"
import { collectStats, type HubStats } from "./hub-stats.js"
import { Membership } from "./membership.js"
import { type AddOptions, checkAddition, identify } from "./newcomer.js"
import { Rooms } from "./rooms.js"
import {
  ALL,
  type ClusterResult,
  type HubSendResult,
  type MemberInfo,
  Selection,
  type SelectionNames,
  type SendReport,
  type Target,
} from "./selection.js"
import { Subscriptions } from "./subscriptions.js"

/**
 * Makes a hub. It opens no port and, on its own, starts no timer until a connection is added.
 *
 * @typeParam Incoming - Messages that clients send, as the codec decodes them.
 * @typeParam Outgoing - Messages that clients get.
 * @typeParam Data - The application's own state of a connection.
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * const hub = createHub<Incoming, Outgoing>()
 * new WebSocketServer({ port: 8080 }).on("connection", (socket, request) => hub.add(socket, { request }))
 * hub.on("connection", ({ connection }) => connection.join("lobby"))
 * hub.on("message", ({ connection, data }) => hub.to("lobby").except(connection).send(data))
 */
export function createHub<Incoming = unknown, Outgoing = unknown, Data = unknown>(
  options: Given<HubOptions<Incoming, Outgoing>> = {},
): Hub<Incoming, Outgoing, Data> {
  return new Hub(options)
}

/** Connections in rooms, and the ways to reach them. Made by {@link createHub}. */
export class Hub<Incoming = unknown, Outgoing = unknown, Data = unknown> extends Emitter<
  HubEvents<Incoming, Outgoing, Data>
> {
  /** This node's name in the cluster: random for each start. */
  readonly nodeId = randomId()
  /** Resolves when the adapter is usable; rejects when it could not be made so, which is also an `error` event. */
  readonly ready: Promise<void>
  /** @internal What is counted on the way; {@link stats} is the whole of it. */
  readonly counters: HubCounters
  readonly #shared: ConnectionOptions<Incoming, Outgoing>
  readonly #settings: ConnectionSettings<Incoming, Outgoing>
  readonly #adapter: Adapter
  readonly #heartbeat: Heartbeat | undefined
  readonly #connections = new Map<string, HubConnection<Incoming, Outgoing, Data>>()
  readonly #rooms = new Rooms<HubConnection<Incoming, Outgoing, Data>>()
  readonly #subscriptions: Subscriptions
  readonly #membership: Membership<HubConnection<Incoming, Outgoing, Data>>
  readonly #dispatcher: Dispatcher<Incoming, Outgoing, Data>
  readonly #cluster: Cluster
  readonly #ending = new AbortController()
  readonly #log: HubLog
  readonly #host: ConnectionHost<Incoming, Outgoing, Data>
  readonly #everybody: Selection<Outgoing, HubConnection<Incoming, Outgoing, Data>>
  #closing: Promise<void> | undefined

  /** @internal Use {@link createHub}. */
  constructor(options: Given<HubOptions<Incoming, Outgoing>> = {}) {
    const { shared, settings, adapter, heartbeat, queryTimeoutMs } = resolveHub(options)
    super(settings.logger)
    this.#shared = shared
    this.#settings = settings
    this.counters = new HubCounters(settings.clock, settings.overflow)
    this.#log = new HubLog(this.logger, () => settings.clock.date())
    this.#host = this.#makeHost()
    this.#adapter = adapter
    this.#heartbeat = heartbeat === false ? undefined : new Heartbeat(heartbeat, settings.clock)
    const adapterFailed = (error: unknown) => this.raise({ error, stage: "adapter" })
    this.#subscriptions = new Subscriptions(adapter, settings.clock, adapterFailed)
    this.#membership = new Membership(this.#rooms, this.#subscriptions, {
      created: (room) => this.emit("room-created", { room }),
      deleted: (room) => this.emit("room-deleted", { room }),
      joined: (room, connection) => this.emit("join", { room, connection }),
      left: (room, connection) => this.emit("leave", { room, connection }),
    })
    this.#cluster = new Cluster({
      clock: settings.clock,
      adapter,
      answer: (question) => this.#dispatcher.answer(question),
      deliver: (id, payload) => this.#dispatcher.receiveFor(id, payload),
      up: (nodeId) => this.emit("node", { nodeId, state: "up" }),
      down: (nodeId) => this.emit("node", { nodeId, state: "down" }),
      failed: adapterFailed,
    })
    this.#dispatcher = new Dispatcher({
      nodeId: this.nodeId,
      connections: this.#connections,
      rooms: this.#rooms,
      membership: this.#membership,
      settings,
      counters: this.counters,
      adapter,
      cluster: this.#cluster,
      queryTimeoutMs,
      adapterFailed,
    })
    this.#everybody = this.#select(ALL)
    this.ready = this.#connect()
    this.ready.catch(adapterFailed)
    this.#subscriptions.waitFor(this.ready)
  }

  /** The other nodes that are there: heard within the last six seconds. */
  get nodes(): readonly string[] {
    return this.#cluster.nodeIds
  }

  /** How many connections this node has. */
  get size(): number {
    return this.#connections.size
  }

  /** The connections of this node, by id: a live, read-only view. */
  get connections(): ReadonlyMap<string, HubConnection<Incoming, Outgoing, Data>> {
    return this.#connections
  }

  /**
   * How many frames have been encoded: one for each message, whatever the number of its receivers; two for a message that
   * went to some compressed and to others not.
   */
  get framesEncoded(): number {
    return this.#settings.counters.framesEncoded
  }

  /** How many messages have been compressed: each once, whatever the number of its receivers. */
  get framesDeflated(): number {
    return this.#settings.counters.framesDeflated
  }

  /** Bytes that wait for slow readers, of all connections together. O(connections for whom any wait). */
  get bufferedBytes(): number {
    return this.#settings.budget.bufferedBytes
  }

  /** How many connections were closed because more than `maxTotalBufferedBytes` waited for all of them. */
  get connectionsShed(): number {
    return this.#settings.budget.shedCount
  }

  /** The hub in numbers. Costs a look at every connection and room: ask now and then, not for each message. */
  stats(): HubStats {
    return collectStats({
      counters: this.counters,
      connections: this.#connections,
      rooms: this.#rooms,
      subscriptions: this.#subscriptions,
      framesEncoded: this.framesEncoded,
    })
  }

  /** @internal How messages are compressed, for whoever agrees on it with the clients. */
  get compression(): CompressionSettings | false {
    return this.#settings.compression
  }

  /** @internal Whether {@link close} was called: whoever is added now is closed at once. */
  get isClosing(): boolean {
    return this.#closing !== undefined
  }

  /**
   * Takes over an open socket: from now on the hub does all sending on it. Emits `connection` before it returns;
   * messages that arrive before anybody listens are kept. After {@link close} the connection is closed at once.
   *
   * @param socket - A server-side socket of `ws`, or anything with the same small interface.
   * @param options - Pass `request` whenever there is one: with it, broadcasts cost one write each.
   * @throws InvalidOptionError when the id is taken, or the socket is not open.
   */
  add(socket: SocketLike, options: AddOptions<Data> = {}): HubConnection<Incoming, Outgoing, Data> {
    checkAddition(socket, options, this.#connections)
    const connection = new HubConnection<Incoming, Outgoing, Data>(
      this.#host,
      socket,
      identify(socket, options, this.compression),
      this.#shared,
    )
    this.#connections.set(connection.id, connection)
    this.counters.connections += 1
    this.#log.opened(connection)
    const { userId } = connection
    if (userId !== undefined) void this.#membership.enter(userChannel(userId), connection)
    this.#heartbeat?.watch(connection)
    this.emit("connection", { connection })
    // a hub that ends takes nobody new, and a server may hand over one more before it knows
    if (this.#closing) void connection.close(CloseCode.GOING_AWAY)
    return connection
  }

  /**
   * The members of a room, or of several.
   * @throws InvalidOptionError for a room name that is empty or above 512 bytes.
   */
  to(rooms: string | Iterable<string>): Selection<Outgoing, HubConnection<Incoming, Outgoing, Data>> {
    return this.#select({ ...ALL, channels: [] }).to(rooms)
  }

  /** All connections of one user, on all nodes. */
  user(userId: string): Selection<Outgoing, HubConnection<Incoming, Outgoing, Data>> {
    return this.#select({ ...ALL, channels: [userChannel(userId)] })
  }

  /** Everybody, on all nodes. */
  get everybody(): Selection<Outgoing, HubConnection<Incoming, Outgoing, Data>> {
    return this.#everybody
  }

  /** Sends to everybody, less some. The report is about this node. */
  broadcast(
    message: Outgoing,
    options: { except?: Target | readonly Target[]; key?: string } = {},
  ): SendReport {
    const selection = options.except === undefined ? this.#everybody : this.#everybody.except(options.except)
    return selection.send(message, options.key === undefined ? undefined : { key: options.key })
  }

  /**
   * Sends to one connection, by id, on whichever node it is. One that this node does not have is `forwarded` to the
   * others, at most once and with nobody to tell whether it was there; without other nodes it is `closed`.
   * @throws CodecError when the codec cannot encode it.
   */
  send(id: string, message: Outgoing, options?: { readonly key?: string }): HubSendResult {
    const here = this.#connections.get(id)
    if (here) return here.send(message, options)
    return this.#dispatcher.forward(id, message) ? "forwarded" : "closed"
  }

  /** The members of a room on this node: a read-only view, live for as long as the room has any. */
  members(room: string): ReadonlySet<HubConnection<Incoming, Outgoing, Data>> {
    return this.#rooms.members(roomChannel(room))
  }

  /** @internal Lets a part that stands beside the hub talk with its like on other nodes. */
  guest(name: string, hear: (nodeId: string, value: object) => void) {
    return this.#cluster.guest(name, hear)
  }

  /** How many members a room has, by node. */
  count(room: string): Promise<ClusterResult<number>> {
    return this.to(room).count()
  }

  /** The members of a room, by node. */
  async list(room: string): Promise<ClusterResult<readonly MemberInfo[]>> {
    return this.#dispatcher.listAll({ ...ALL, channels: [roomChannel(room)] })
  }

  /**
   * Ends the hub: closes every connection, waits for the closing handshakes (each at most `closeTimeoutMs`), and
   * closes the adapter. The HTTP server stays the user's. Calling it again changes nothing.
   */
  async close(code: number = CloseCode.GOING_AWAY, reason = ""): Promise<void> {
    checkCloseCode(code)
    this.#closing ??= this.#end(code, reason)
    return this.#closing
  }

  /** The same as {@link close} with code 1001. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  override on<Name extends keyof HubEvents<Incoming, Outgoing, Data>>(
    event: Name,
    listener: (payload: HubEvents<Incoming, Outgoing, Data>[Name]) => unknown,
  ): () => void {
    const undo = super.on(event, listener)
    this.#handOver(event)
    return undo
  }

  override once<Name extends keyof HubEvents<Incoming, Outgoing, Data>>(
    event: Name,
    listener: (payload: HubEvents<Incoming, Outgoing, Data>[Name]) => unknown,
  ): () => void {
    const undo = super.once(event, listener)
    this.#handOver(event)
    return undo
  }

  protected override listenerPending(event: PropertyKey, payload: unknown): (() => void) | undefined {
    if (event !== "message") return undefined
    return (payload as HubEvents<Incoming, Outgoing, Data>["message"]).connection.busy()
  }

  protected override raise(event: HubErrorEvent<Incoming, Outgoing, Data>): void {
    if (this.emit("error", event)) return
    const { error, stage, connection } = event
    // what peers send and how their networks fail is no fault of this process
    const level = stage === "decode" || stage === "socket" ? "debug" : "error"
    if (!isLevelOn(this.logger, level)) return
    const fields = { event: "error", stage, ...(connection && whose(connection)), ...loggable(error) }
    this.logger[level](fields, "an error that nobody listens to")
  }

  protected override listenerFailed(event: PropertyKey, error: unknown, payload: unknown): void {
    const { connection } = payload as HubErrorEvent<Incoming, Outgoing, Data>
    if (event === "error") super.listenerFailed(event, error, payload)
    else this.raise({ error, stage: "listener", connection })
  }

  #select(names: SelectionNames): Selection<Outgoing, HubConnection<Incoming, Outgoing, Data>> {
    return new Selection<Outgoing, HubConnection<Incoming, Outgoing, Data>>(this.#dispatcher, names)
  }

  /** Messages that came before anybody listened go to the first listener. */
  #handOver(event: PropertyKey): void {
    if (event === "message") for (const connection of this.#connections.values()) connection.handOver()
  }

  #makeHost(): ConnectionHost<Incoming, Outgoing, Data> {
    return {
      clock: this.#settings.clock,
      counters: this.counters,
      join: (connection, rooms) => this.#membership.join(connection, rooms),
      leave: (connection, rooms) => this.#membership.leave(connection, rooms),
      roomsOf: (connection) => this.#membership.roomsOf(connection),
      listens: () => this.listenerCount("message") > 0,
      received: (connection, data) => void this.emit("message", { connection, data }),
      lost: (connection, lag) => {
        this.counters.lost(lag)
        this.#log.lagged(connection, lag)
        this.emit("lagged", { ...lag, connection })
      },
      failed: (connection, event) => this.raise({ ...event, connection }),
      expiring: (connection, expiresAt) => {
        this.#log.expiring(connection, expiresAt)
        this.emit("expiring", { connection, expiresAt })
      },
      left: (connection, info) => this.#left(connection, info),
    }
  }

  #left(connection: HubConnection<Incoming, Outgoing, Data>, info: CloseInfo): void {
    this.counters.left(connection, info)
    this.#log.closed(connection, info)
    // a spread of what is not always built alike takes V8 its slow way
    const { code, reason, cause, unsent } = info
    this.emit("close", { code, reason, cause, unsent, connection })
    this.#membership.leaveAll(connection)
    this.#connections.delete(connection.id)
    this.#heartbeat?.unwatch(connection)
  }

  async #connect(): Promise<void> {
    await this.#adapter.connect({
      nodeId: this.nodeId,
      onMessage: (message) => this.#dispatcher.receive(message),
      onOperation: (nodeId, operation, bytes) => this.#cluster.receive(nodeId, operation, bytes),
      onState: (state) => {
        this.counters.adapterIs(state)
        this.emit("adapter", { state })
      },
      onGap: (gap) => {
        this.counters.missed(gap)
        this.emit("gap", gap)
      },
      logger: this.logger,
      signal: this.#ending.signal,
    })
    // one that is usable is up, also where it does not say so
    if (this.counters.adapter.state === "connecting") this.counters.adapterIs("up")
    if (this.#ending.signal.aborted) return
    try {
      await this.#adapter.subscribe([EVERYBODY])
    } finally {
      // what is not confirmed in time is still wanted, and this node is one of the cluster once it is
      if (!this.#ending.signal.aborted) this.#cluster.start()
    }
  }

  async #end(code: number, reason: string): Promise<void> {
    await this.#everybody.local.close(code, reason)
    this.#subscriptions.close()
    this.#ending.abort()
    await this.#cluster.close()
    await this.#adapter.close({ deadlineMs: this.#settings.closeTimeoutMs })
  }
}
