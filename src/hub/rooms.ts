/**
 * Who is in which channel, on this node. Both directions are indexed, every step is O(1), and a channel without
 * members takes no memory. It knows no sockets and sends nothing.
 */

const NOBODY: ReadonlySet<never> = new Set<never>()

/** Members by channel, and channels by member. */
export class Rooms<Member extends object> {
  readonly #members = new Map<string, Set<Member>>()
  readonly #channels = new Map<Member, Set<string>>()

  /** Every channel that has a member. */
  get channels(): IterableIterator<string> {
    return this.#members.keys()
  }

  /** The members of a channel. A live view: it changes as they come and go. */
  members(channel: string): ReadonlySet<Member> {
    return this.#members.get(channel) ?? NOBODY
  }

  /** The channels of a member. A live view. */
  channelsOf(member: Member): ReadonlySet<string> {
    return this.#channels.get(member) ?? NOBODY
  }

  /** Whether a member is in a channel. */
  has(channel: string, member: Member): boolean {
    return this.#members.get(channel)?.has(member) ?? false
  }

  /** Adds a member. Returns whether it was not there before. */
  add(channel: string, member: Member): boolean {
    if (this.has(channel, member)) return false
    insert(this.#members, channel, member)
    insert(this.#channels, member, channel)
    return true
  }

  /** Removes a member. Returns whether it was there. */
  delete(channel: string, member: Member): boolean {
    if (!this.has(channel, member)) return false
    erase(this.#members, channel, member)
    erase(this.#channels, member, channel)
    return true
  }
}

function insert<Key, Value>(map: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const set = map.get(key)
  if (set) set.add(value)
  else map.set(key, new Set([value]))
}

function erase<Key, Value>(map: Map<Key, Set<Value>>, key: Key, value: Value): void {
  const set = map.get(key)
  set?.delete(value)
  if (set?.size === 0) map.delete(key)
}
