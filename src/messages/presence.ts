/**
 * Who is in which room, for those who want to show it: users, not connections, and changes in batches, not one by one. It
 * listens to a hub and tells what has changed; how that reaches anybody is the application's business.
 */

import { Emitter, type ErrorEvent } from "../core/emitter.js"
import { type Logger, resolveLogger } from "../core/logger.js"
import { checkFunction, checkMethods, checkMs, type Given, resolveOptions } from "../core/options.js"
import { type Clock, systemClock, Timer } from "../core/timer.js"
import type { Unsubscribe } from "../core/types.js"
import {
  PresenceBook,
  type PresenceChange,
  type PresenceMember,
  type PresenceSnapshot,
} from "./presence-book.js"

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
  /** Listens to connections that join rooms, and leave them. */
  on(
    event: "join" | "leave",
    listener: (payload: { readonly connection: Connection; readonly room: string }) => void,
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
 * Watches who is in the rooms of a hub, on this node.
 *
 * A new member gets {@link Presence.snapshot}, which is the room as of the last change, and then every change that
 * follows: with both there is no gap, and nothing twice.
 *
 * @typeParam Meta - What is known of a member.
 * @throws InvalidOptionError with the value received.
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
  readonly #book = new PresenceBook<Meta>()
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
    checkFunction("presence.key", settings.key)
    checkFunction("presence.meta", settings.meta)
    checkFunction("presence.isWatched", settings.isWatched)
    checkMs("presence.batchMs", settings.batchMs)
    checkMethods("presence.clock", settings.clock, ["setTimer", "clearTimer"])
    this.#settings = settings
    this.#timer = new Timer(settings.clock, () => this.#tell())
    this.#undo = [
      hub.on("join", ({ connection, room }) => this.#joined(connection, room)),
      hub.on("leave", ({ connection, room }) => this.#left(connection, room)),
    ]
    for (const connection of hub.connections.values())
      for (const room of connection.rooms) this.#joined(connection, room)
  }

  /** The members of a room, at this moment: those of changes that are not told yet included. */
  members(room: string): readonly PresenceMember<Meta>[] {
    return this.#book.members(room)
  }

  /** How many connections a member has in a room. */
  connections(room: string, key: string): number {
    return this.#book.holders(room, key)
  }

  /** A room as of the last change. The next `change` of the room has the next version. */
  snapshot(room: string): PresenceSnapshot<Meta> {
    return this.#book.snapshot(room)
  }

  /** Says something else of a member, on behalf of one of its connections. Returns whether that is in the room. */
  update(connection: Connection, room: string, meta: Meta): boolean {
    const key = this.#keys.get(connection)?.get(room)
    if (key === undefined) return false
    this.#book.set(room, key, connection.id, meta)
    this.#schedule()
    return true
  }

  /** Listens to the hub no longer, and tells nothing more. */
  close(): void {
    for (const undo of this.#undo) undo()
    this.#timer.stop()
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
    this.#book.set(room, key, connection.id, meta(connection, room))
    const keys = this.#keys.get(connection) ?? new Map()
    this.#keys.set(connection, keys.set(room, key))
    this.#schedule()
  }

  #left(connection: Connection, room: string): void {
    const keys = this.#keys.get(connection)
    const key = keys?.get(room)
    if (key === undefined) return
    keys?.delete(room)
    this.#book.delete(room, key, connection.id)
    this.#schedule()
  }

  #schedule(): void {
    if (!this.#timer.isArmed) this.#timer.start(this.#settings.batchMs)
  }

  #tell(): void {
    for (const change of this.#book.tell()) this.emit("change", change)
  }
}
