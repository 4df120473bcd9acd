/**
 * Who is in which channel, on this node. Both directions are indexed, every step is O(1), and a channel without
 * members takes no memory. It knows no sockets and sends nothing.
 */

const NOBODY: ReadonlySet<never> = new Set<never>()
const NONE: readonly never[] = []

/** Members by channel, and channels by member. */
export class Rooms<Member extends object> {
  readonly #members = new Map<string, Set<Member>>()
  /** A member of one channel alone, as most are, needs no set of its own. */
  readonly #channels = new Map<Member, string | Set<string>>()

  /** Every channel that has a member. */
  get channels(): IterableIterator<string> {
    return this.#members.keys()
  }

  /** The members of a channel. A live view: it changes as they come and go. */
  members(channel: string): ReadonlySet<Member> {
    return this.#members.get(channel) ?? NOBODY
  }

  /** The channels of a member, at this moment. */
  channelsOf(member: Member): readonly string[] {
    const channels = this.#channels.get(member)
    if (channels === undefined) return NONE
    return typeof channels === "string" ? [channels] : [...channels]
  }

  /** Whether a member is in a channel. */
  has(channel: string, member: Member): boolean {
    return this.#members.get(channel)?.has(member) ?? false
  }

  /** Adds a member. Returns whether it was not there before. */
  add(channel: string, member: Member): boolean {
    if (this.has(channel, member)) return false
    const members = this.#members.get(channel)
    if (members) members.add(member)
    else this.#members.set(channel, new Set([member]))
    const channels = this.#channels.get(member)
    if (channels === undefined) this.#channels.set(member, channel)
    else if (typeof channels === "string") this.#channels.set(member, new Set([channels, channel]))
    else channels.add(channel)
    return true
  }

  /** Removes a member. Returns whether it was there. */
  delete(channel: string, member: Member): boolean {
    if (!this.has(channel, member)) return false
    const members = this.#members.get(channel)
    members?.delete(member)
    if (members?.size === 0) this.#members.delete(channel)
    const channels = this.#channels.get(member)
    if (channels instanceof Set) channels.delete(channel)
    if (typeof channels === "string" || channels?.size === 0) this.#channels.delete(member)
    return true
  }
}
