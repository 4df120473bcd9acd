/**
 * What the presences of a cluster tell each other: each its own members, first all of them and then what changes, numbered, so
 * that whoever misses something asks for all again. It knows no connections, and nothing of how changes are told here.
 */

import { type Clock, Timer } from "../core/timer.js"
import type { PresenceBook, PresenceChange } from "./presence-book.js"

/** A way to presences of the same name on other nodes. What is said may be lost. */
export interface PresenceLine {
  /** Says something to one node, or to all others with `"*"`. */
  say(nodeId: string, value: object): void
  /** Hears no more. */
  leave(): void
}

/** What an exchange works with. */
export interface PresenceExchangeParts<Meta> {
  readonly line: PresenceLine
  readonly clock: Clock
  /** The members of this node, held by its connections. */
  readonly own: PresenceBook<Meta>
  /** The members of all nodes: of others, each is held by its node. */
  readonly all: PresenceBook<Meta>
  /** Which rooms are looked at. */
  readonly isWatched: (room: string) => boolean
  /** Something has changed in `all`. */
  readonly changed: () => void
}

/** A member of a room on its way. */
type Entry<Meta> = readonly [room: string, key: string, meta: Meta]

/** A member that has left a room. */
type Gone = readonly [room: string, key: string]

/** What is said. */
type Saying<Meta> =
  | { readonly is: "ask" }
  | { readonly is: "serial"; readonly serial: number }
  | {
      readonly is: "change"
      readonly serial: number
      readonly set: readonly Entry<Meta>[]
      readonly gone: readonly Gone[]
    }
  | {
      readonly is: "state"
      readonly serial: number
      readonly part: number
      readonly parts: number
      readonly set: readonly Entry<Meta>[]
    }

/** What is known of another node. */
interface Neighbour<Meta> {
  /** The last change that is known; `undefined` before the first state. */
  serial: number | undefined
  /** Its members, by room. */
  readonly rooms: Map<string, Set<string>>
  /** Parts of a state that has begun to come. */
  coming: Entry<Meta>[][]
  askedAt: number
}

/** Members in one message: engines have limits. */
const PART = 500
/** How often each node says which change was its last, so that a lost one is noticed, in milliseconds. */
const REMINDER_MS = 5_000
/** A node is asked for all again at most once in so many milliseconds. */
const ASK_AGAIN_MS = 1_000
const ALL = "*"

/** Keeps the members of other nodes in a book, and tells other nodes of those of this one. */
export class PresenceExchange<Meta> {
  readonly #parts: PresenceExchangeParts<Meta>
  readonly #neighbours = new Map<string, Neighbour<Meta>>()
  readonly #reminder: Timer
  #serial = 0

  constructor(parts: PresenceExchangeParts<Meta>) {
    this.#parts = parts
    this.#reminder = new Timer(parts.clock, () => this.#remind())
  }

  /** Another node is there. */
  up(nodeId: string): void {
    if (this.#neighbours.has(nodeId)) return
    const neighbour = {
      serial: undefined,
      rooms: new Map(),
      coming: [],
      askedAt: Number.NEGATIVE_INFINITY,
    }
    this.#neighbours.set(nodeId, neighbour)
    this.#tellAll(nodeId)
    this.#ask(nodeId, neighbour)
    if (!this.#reminder.isArmed) this.#reminder.start(REMINDER_MS)
  }

  /** Another node is not there any more: neither are its members. */
  down(nodeId: string): void {
    const neighbour = this.#neighbours.get(nodeId)
    if (!neighbour) return
    this.#neighbours.delete(nodeId)
    this.#replace(nodeId, neighbour, [])
    if (this.#neighbours.size === 0) this.#reminder.stop()
  }

  /** Members of this node have changed, as `own` tells it. */
  tell(changes: readonly PresenceChange<Meta>[]): void {
    const set = changes.flatMap(({ room, joined, updated }) =>
      [...joined, ...updated].map(({ key, meta }): Entry<Meta> => [room, key, meta]),
    )
    const gone = changes.flatMap(({ room, left }) => left.map(({ key }): Gone => [room, key]))
    for (let at = 0; at < Math.max(set.length, gone.length); at += PART) {
      this.#serial += 1
      const [somebody, nobody] = [set.slice(at, at + PART), gone.slice(at, at + PART)]
      if (this.#neighbours.size > 0)
        this.#say(ALL, { is: "change", serial: this.#serial, set: somebody, gone: nobody })
    }
  }

  /** Another node said something. */
  heard(nodeId: string, value: object): void {
    const saying = value as Saying<Meta>
    const neighbour = this.#neighbours.get(nodeId)
    // the last words of a node that is gone must not bring its members back; one that is new will be asked
    if (!neighbour) return
    if (saying.is === "ask") this.#tellAll(nodeId)
    else if (saying.is === "state") this.#takePart(nodeId, neighbour, saying)
    else if (saying.is === "change" && saying.serial === (neighbour.serial ?? Number.NaN) + 1)
      this.#take(nodeId, neighbour, saying)
    else if (saying.serial !== neighbour.serial) this.#ask(nodeId, neighbour)
  }

  /** Says and hears no more. */
  close(): void {
    this.#reminder.stop()
    this.#parts.line.leave()
  }

  #ask(nodeId: string, neighbour: Neighbour<Meta>): void {
    const now = this.#parts.clock.now()
    if (now - neighbour.askedAt < ASK_AGAIN_MS) return
    neighbour.askedAt = now
    this.#say(nodeId, { is: "ask" })
  }

  /** All members of this node, as they were last told. */
  #tellAll(nodeId: string): void {
    const { own } = this.#parts
    const entries = own.names.flatMap((room) =>
      own.snapshot(room).members.map(({ key, meta }): Entry<Meta> => [room, key, meta]),
    )
    const parts = Math.max(1, Math.ceil(entries.length / PART))
    for (let part = 0; part < parts; part += 1) {
      const set = entries.slice(part * PART, (part + 1) * PART)
      this.#say(nodeId, { is: "state", serial: this.#serial, part, parts, set })
    }
  }

  #takePart(nodeId: string, neighbour: Neighbour<Meta>, state: Saying<Meta> & { is: "state" }): void {
    if (state.part === 0) neighbour.coming = []
    neighbour.coming.push([...state.set])
    if (state.part < state.parts - 1) return
    const { coming } = neighbour
    neighbour.coming = []
    // with a part lost on the way, all is asked for again when the next change or reminder comes
    if (coming.length !== state.parts) return
    this.#replace(nodeId, neighbour, coming.flat())
    neighbour.serial = state.serial
  }

  #take(nodeId: string, neighbour: Neighbour<Meta>, change: Saying<Meta> & { is: "change" }): void {
    for (const entry of change.set) this.#set(nodeId, neighbour, entry)
    for (const [room, key] of change.gone) this.#delete(nodeId, neighbour, room, key)
    // last: of one that cannot be read the next reminder tells that it was missed
    neighbour.serial = change.serial
    this.#parts.changed()
  }

  #replace(nodeId: string, neighbour: Neighbour<Meta>, entries: readonly Entry<Meta>[]): void {
    const before = [...neighbour.rooms].flatMap(([room, keys]) =>
      [...keys].map((key) => [room, key] as const),
    )
    const now = new Map<string, Set<string>>()
    for (const [room, key] of entries) now.set(room, (now.get(room) ?? new Set()).add(key))
    for (const [room, key] of before) if (!now.get(room)?.has(key)) this.#delete(nodeId, neighbour, room, key)
    for (const entry of entries) this.#set(nodeId, neighbour, entry)
    this.#parts.changed()
  }

  #set(nodeId: string, { rooms }: Neighbour<Meta>, [room, key, meta]: Entry<Meta>): void {
    if (!this.#parts.isWatched(room)) return
    rooms.set(room, (rooms.get(room) ?? new Set()).add(key))
    this.#parts.all.set(room, key, holderOf(nodeId), meta)
  }

  #delete(nodeId: string, { rooms }: Neighbour<Meta>, room: string, key: string): void {
    const keys = rooms.get(room)
    keys?.delete(key)
    if (keys?.size === 0) rooms.delete(room)
    this.#parts.all.delete(room, key, holderOf(nodeId))
  }

  #remind(): void {
    this.#say(ALL, { is: "serial", serial: this.#serial })
    this.#reminder.start(REMINDER_MS)
  }

  #say(nodeId: string, saying: Saying<Meta>): void {
    this.#parts.line.say(nodeId, saying)
  }
}

/** No connection has such an id by accident. */
function holderOf(nodeId: string): string {
  return `\0node ${nodeId}`
}
