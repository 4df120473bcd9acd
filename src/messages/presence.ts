/**
 * Who is in which room, for those who want to show it: users, not connections, and changes in batches, not one by one. It
 * listens to a hub and tells what has changed; how that reaches anybody is the application's business.
 */

import { Emitter, type ErrorEvent } from "../core/emitter.js"
import { type Logger, resolveLogger } from "../core/logger.js"
import {
  checkFunction,
  checkMethods,
  checkMs,
  type Given,
  hasMethods,
  reject,
  resolveOptions,
} from "../core/options.js"
import { type Clock, systemClock, Timer } from "../core/timer.js"
import type { Unsubscribe } from "../core/types.js"
import {
  PresenceBook,
  type PresenceChange,
  type PresenceMember,
  type PresenceSnapshot,
} from "./presence-book.js"
import { PresenceExchange, type PresenceLine } from "./presence-exchange.js"

/** What presence needs of a connection. */
export interface PresentConnection {
  /** Its name. */
  readonly id: string
  /** Whose connection it is, where that is known. */
  readonly userId: string | undefined
  /** The rooms it is in. */
  readonly rooms: ReadonlySet<string>
}

/** What presence needs of a hub. */
export interface PresenceHub<Connection extends PresentConnection> {
  /** The connections of this node, by id. */
  readonly connections: ReadonlyMap<string, Connection>
  /** The other nodes that are there. Without, there are none. */
  readonly nodes?: readonly string[]
  /** @internal The way to presences of the same name on other nodes. */
  guest?(name: string, hear: (nodeId: string, value: object) => void): PresenceLine
  /** Listens to connections that join rooms, and leave them. */
  on(
    event: "join" | "leave",
    listener: (payload: { readonly connection: Connection; readonly room: string }) => void,
  ): Unsubscribe
  /** Listens to other nodes that come and go. */
  on(
    event: "node",
    listener: (payload: { readonly nodeId: string; readonly state: "up" | "down" }) => void,
  ): Unsubscribe
}

/** Who counts as present, and what is known of them. */
export interface PresenceOptions<Connection extends PresentConnection, Meta> {
  /** Whom a connection stands for. Connections with the same key are one member. @defaultValue its user's id, or its own */
  readonly key?: (connection: Connection) => string
  /** What is known of a member that joins a room. Must be something JSON can hold. @defaultValue undefined */
  readonly meta?: (connection: Connection, room: string) => Meta
  /** Which rooms are looked at. @defaultValue all */
  readonly isWatched?: (room: string) => boolean
  /** Tells it from other presences of the same hub; the same on all nodes. @defaultValue "presence" */
  readonly name?: string
  /** How long changes of a room are gathered, in milliseconds. @defaultValue 100 */
  readonly batchMs?: number
  /** Takes what nobody listens to; `false` for silence. @defaultValue warnings and errors to the console */
  readonly logger?: Logger | false
  /** Where time comes from. @defaultValue the platform's */
  readonly clock?: Clock
}

/** What {@link Presence} tells. */
export interface PresenceEvents<Meta> {
  /** Members of a room have changed. At most one for each room in `batchMs`. */
  change: PresenceChange<Meta>
  /** A listener failed. */
  error: ErrorEvent
}

/**
 * Watches who is in the rooms of a hub, on all nodes of its cluster that have a presence of the same name.
 *
 * What happens on this node is known at once, what happens on another after its `batchMs`. The members of a node that says
 * goodbye leave with it; those of one that is dead when it counts as down, after six to eight seconds of silence.
 *
 * A new member gets {@link Presence.snapshot}, which is the room as of the last change, and then every change that
 * follows: with both there is no gap, and nothing twice.
 *
 * @typeParam Meta - What is known of a member.
 * @throws InvalidOptionError with the value received, also for a name that another presence of the hub has.
 *
 * @example
 * const presence = createPresence(hub, { meta: ({ data }) => ({ name: data.name }) })
 * presence.on("change", (change) => hub.to(change.room).local.send({ type: "presence", ...change }))
 * hub.on("join", ({ connection, room }) => connection.send({ type: "present", ...presence.snapshot(room) }))
 */
export function createPresence<Connection extends PresentConnection, Meta = undefined>(
  hub: PresenceHub<Connection>,
  options: Given<PresenceOptions<Connection, Meta>> = {},
): Presence<Connection, Meta> {
  return new Presence(hub, options)
}

const DEFAULTS = /* @__PURE__ */ Object.freeze({
  key: ({ id, userId }: PresentConnection) => userId ?? id,
  meta: () => undefined,
  isWatched: () => true,
  name: "presence",
  batchMs: 100,
  logger: undefined,
  clock: systemClock,
})

type Settings<Connection extends PresentConnection, Meta> = Required<
  Omit<PresenceOptions<Connection, Meta>, "logger">
> & { readonly logger: Logger | false | undefined }

/** The members of the rooms of a hub. Made by {@link createPresence}. */
export class Presence<Connection extends PresentConnection, Meta> extends Emitter<PresenceEvents<Meta>> {
  readonly #settings: Settings<Connection, Meta>
  /** The members of all nodes. */
  readonly #book = new PresenceBook<Meta>()
  /** Those of this node alone. */
  readonly #own = new PresenceBook<Meta>()
  readonly #exchange: PresenceExchange<Meta> | undefined
  readonly #timer: Timer
  readonly #undo: readonly Unsubscribe[]
  /** Under which key a connection is present: it leaves as whom it came, whoever it has become. */
  readonly #keys = new WeakMap<Connection, Map<string, string>>()

  /** @internal Use {@link createPresence}. */
  constructor(hub: PresenceHub<Connection>, options: Given<PresenceOptions<Connection, Meta>>) {
    const settings = resolveOptions("presence", DEFAULTS as never, options as never) as Settings<
      Connection,
      Meta
    >
    super(resolveLogger(settings.logger))
    if (!hasMethods(hub, "on")) reject("presence.hub", "a hub", hub)
    checkFunction("presence.key", settings.key)
    checkFunction("presence.meta", settings.meta)
    checkFunction("presence.isWatched", settings.isWatched)
    if (typeof settings.name !== "string" || settings.name === "")
      reject("presence.name", "a string that is not empty", settings.name)
    checkMs("presence.batchMs", settings.batchMs)
    checkMethods("presence.clock", settings.clock, ["now", "setTimer", "clearTimer"])
    this.#settings = settings
    this.#timer = new Timer(settings.clock, () => this.#tell())
    this.#undo = [
      hub.on("join", ({ connection, room }) => this.#joined(connection, room)),
      hub.on("leave", ({ connection, room }) => this.#left(connection, room)),
      hub.on("node", ({ nodeId, state }) => this.#exchange?.[state](nodeId)),
    ]
    try {
      for (const connection of hub.connections.values())
        for (const room of connection.rooms) this.#joined(connection, room)
      this.#exchange = this.#meet(hub)
    } catch (error) {
      // a meta that throws, or a name that is taken: nothing may go on listening that nobody has
      this.close()
      throw error
    }
    for (const nodeId of hub.nodes ?? []) this.#exchange?.up(nodeId)
  }

  /** The members of a room, at this moment: those of changes that are not told yet included. */
  members(room: string): readonly PresenceMember<Meta>[] {
    return this.#book.members(room)
  }

  /** How many connections of this node a member has in a room, and one for each other node where it has any. */
  connections(room: string, key: string): number {
    return this.#book.holders(room, key)
  }

  /** A room as of the last change. The next `change` of the room has the next version. */
  snapshot(room: string): PresenceSnapshot<Meta> {
    return this.#book.snapshot(room)
  }

  /**
   * Says something else of a member, on behalf of one of its connections. Returns whether that is in the room.
   * @throws InvalidOptionError for what JSON cannot hold.
   */
  update(connection: Connection, room: string, meta: Meta): boolean {
    const key = this.#keys.get(connection)?.get(room)
    if (key === undefined) return false
    this.#set(room, key, connection.id, meta)
    return true
  }

  /** Listens to the hub no longer, and tells nothing more. */
  close(): void {
    for (const undo of this.#undo) undo()
    this.#timer.stop()
    this.#exchange?.close()
    this.removeAllListeners()
  }

  /** The same as {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  #joined(connection: Connection, room: string): void {
    const { key: keyOf, meta, isWatched } = this.#settings
    if (!isWatched(room)) return
    const key = keyOf(connection)
    this.#set(room, key, connection.id, meta(connection, room))
    const keys = this.#keys.get(connection) ?? new Map()
    this.#keys.set(connection, keys.set(room, key))
  }

  #left(connection: Connection, room: string): void {
    const keys = this.#keys.get(connection)
    const key = keys?.get(room)
    if (key === undefined) return
    keys?.delete(room)
    this.#book.delete(room, key, connection.id)
    this.#own.delete(room, key, connection.id)
    this.#schedule()
  }

  #set(room: string, key: string, holder: string, meta: Meta): void {
    checkMeta(meta)
    this.#book.set(room, key, holder, meta)
    this.#own.set(room, key, holder, meta)
    this.#schedule()
  }

  #meet(hub: PresenceHub<Connection>): PresenceExchange<Meta> | undefined {
    const { name, clock } = this.#settings
    const line = hub.guest?.(name, (nodeId, value) => this.#exchange?.heard(nodeId, value))
    if (!line) return undefined
    const changed = () => this.#schedule()
    const isWatched = (room: string) => this.#isWatched(room)
    return new PresenceExchange({ line, clock, isWatched, changed, own: this.#own, all: this.#book })
  }

  /** What other nodes say of a room is heard where no listener's error is: it may not take the rest with it. */
  #isWatched(room: string): boolean {
    try {
      return this.#settings.isWatched(room)
    } catch (error) {
      this.raise({ error, stage: "listener" })
      return false
    }
  }

  #schedule(): void {
    if (!this.#timer.isArmed) this.#timer.start(this.#settings.batchMs)
  }

  #tell(): void {
    const own = this.#own.tell()
    this.#exchange?.tell(own)
    for (const change of this.#book.tell()) this.emit("change", change)
  }
}

/** Other nodes are told of it, and whether it has changed is told by how it reads: later, where nobody could be blamed. */
function checkMeta(meta: unknown): void {
  try {
    JSON.stringify(meta)
  } catch {
    reject("presence.meta", "something that JSON can hold", meta)
  }
}
