/**
 * Who is present where, and what of it has not been told yet. A member is present as long as anybody holds it; who holds
 * is only a name here: a connection of this node, or another node with its members. It knows no hub and no time.
 */

/** One member of a room. */
export interface PresenceMember<Meta> {
  /** Who it is: a user, or a connection that belongs to none. */
  readonly key: string
  /** What is known of it: what was said last, of those that hold it. */
  readonly meta: Meta
}

/** What has changed in a room since the last time. A member is in one of the lists. */
export interface PresenceChange<Meta> {
  /** The room. */
  readonly room: string
  /** Counts the changes of the room on this node: one more than that of the change, or the snapshot, before. */
  readonly version: number
  /** Members that were not there. */
  readonly joined: readonly PresenceMember<Meta>[]
  /** Members that have another meta. */
  readonly updated: readonly PresenceMember<Meta>[]
  /** Members that are not there any more, as they were last told. */
  readonly left: readonly PresenceMember<Meta>[]
}

/** A room as it was last told. */
export interface PresenceSnapshot<Meta> {
  /** The room. */
  readonly room: string
  /** The version of the last change; 0 before the first. A room that was empty begins anew. */
  readonly version: number
  /** Its members. */
  readonly members: readonly PresenceMember<Meta>[]
}

/** What each of the holders of a member has said, in the order of their saying. */
type Holders<Meta> = Map<string, Meta>

interface Room<Meta> {
  version: number
  readonly members: Map<string, Holders<Meta>>
  /** Members that have changed, as they were last told; `undefined` for those that were not there. */
  readonly untold: Map<string, PresenceMember<Meta> | undefined>
}

/** The members of rooms. */
export class PresenceBook<Meta> {
  readonly #rooms = new Map<string, Room<Meta>>()
  /** Rooms with something untold. */
  readonly #changed = new Set<string>()

  /** How many rooms have members, or had them when they were last told. */
  get size(): number {
    return this.#rooms.size
  }

  /** The names of those rooms. */
  get names(): string[] {
    return [...this.#rooms.keys()]
  }

  /** A member is held, or its holder says something else of it. */
  set(name: string, key: string, holder: string, meta: Meta): void {
    const room = this.#roomOf(name)
    this.#note(name, room, key)
    const holders: Holders<Meta> = room.members.get(key) ?? new Map()
    // what is said last comes last
    holders.delete(holder)
    room.members.set(key, holders.set(holder, meta))
  }

  /** A member is not held by this holder any more. */
  delete(name: string, key: string, holder: string): void {
    const room = this.#rooms.get(name)
    const holders = room?.members.get(key)
    if (!room || !holders?.has(holder)) return
    this.#note(name, room, key)
    holders.delete(holder)
    if (holders.size === 0) room.members.delete(key)
  }

  /** The members of a room, at this moment. */
  members(name: string): PresenceMember<Meta>[] {
    const room = this.#rooms.get(name)
    return room ? [...room.members.keys()].map((key) => memberOf(room, key) as PresenceMember<Meta>) : []
  }

  /** How many hold a member. */
  holders(name: string, key: string): number {
    return this.#rooms.get(name)?.members.get(key)?.size ?? 0
  }

  /** A room as it was last told. */
  snapshot(name: string): PresenceSnapshot<Meta> {
    const room = this.#rooms.get(name)
    if (!room) return { room: name, version: 0, members: [] }
    const known = [...room.members.keys()].map((key) =>
      room.untold.has(key) ? undefined : memberOf(room, key),
    )
    const members = [...known, ...room.untold.values()].filter((it) => it !== undefined)
    return { room: name, version: room.version, members }
  }

  /** Tells what is untold: one change for each room that has any. */
  tell(): PresenceChange<Meta>[] {
    const changes: PresenceChange<Meta>[] = []
    for (const name of this.#changed) {
      const room = this.#rooms.get(name)
      const change = room && tellRoom(name, room)
      if (change) changes.push(change)
      if (room?.members.size === 0) this.#rooms.delete(name)
    }
    this.#changed.clear()
    return changes
  }

  #roomOf(name: string): Room<Meta> {
    const known = this.#rooms.get(name)
    if (known) return known
    const room = { version: 0, members: new Map(), untold: new Map() }
    this.#rooms.set(name, room)
    return room
  }

  /** Remembers how a member was last told, before it changes. */
  #note(name: string, room: Room<Meta>, key: string): void {
    if (!room.untold.has(key)) room.untold.set(key, memberOf(room, key))
    this.#changed.add(name)
  }
}

function tellRoom<Meta>(name: string, room: Room<Meta>): PresenceChange<Meta> | undefined {
  const joined: PresenceMember<Meta>[] = []
  const updated: PresenceMember<Meta>[] = []
  const left: PresenceMember<Meta>[] = []
  for (const [key, before] of room.untold) {
    const now = memberOf(room, key)
    if (now && !before) joined.push(now)
    else if (before && !now) left.push(before)
    else if (before && now && !isSame(before.meta, now.meta)) updated.push(now)
  }
  room.untold.clear()
  // who came and went, or went and came back, has changed nothing
  if (joined.length + updated.length + left.length === 0) return undefined
  room.version += 1
  return { room: name, version: room.version, joined, updated, left }
}

function memberOf<Meta>(room: Room<Meta>, key: string): PresenceMember<Meta> | undefined {
  const holders = room.members.get(key)
  if (!holders) return undefined
  return { key, meta: [...holders.values()].at(-1) as Meta }
}

/** Whether two metas read the same on the wire. */
function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other)
}
