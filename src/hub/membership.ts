/**
 * Who joins and leaves which channel, what the adapter is told of it, and which events follow.
 */

import type { ConnectionState } from "../wire/connection-events.js"
import { roomChannels, roomOf } from "./channel.js"
import type { Rooms } from "./rooms.js"
import type { Subscriptions } from "./subscriptions.js"

/** Hears of changes, in the order they happen. Only rooms are reported, not the channels of users. */
export interface MembershipEvents<Member> {
  /** A room got its first member on this node. */
  created(room: string): void
  /** A room lost its last member on this node. */
  deleted(room: string): void
  /** A member joined. */
  joined(room: string, member: Member): void
  /** A member left. */
  left(room: string, member: Member): void
}

/** Keeps the index, the adapter and the listeners in step. */
export class Membership<Member extends { readonly state: ConnectionState }> {
  readonly #rooms: Rooms<Member>
  readonly #subscriptions: Subscriptions
  readonly #events: MembershipEvents<Member>
  readonly #news: (() => void)[] = []
  #isTelling = false

  constructor(rooms: Rooms<Member>, subscriptions: Subscriptions, events: MembershipEvents<Member>) {
    this.#rooms = rooms
    this.#subscriptions = subscriptions
    this.#events = events
  }

  /** Adds a member to rooms. Resolves when sends from any node reach it there. */
  join(member: Member, rooms: string | Iterable<string>): Promise<void> {
    const confirmations = roomChannels(rooms)
      .map((channel) => this.enter(channel, member))
      .filter((it) => it !== undefined)
    const confirmed =
      confirmations.length === 0 ? Promise.resolve() : Promise.all(confirmations).then(() => {})
    // whoever ignores the promise must not be punished by an unhandled rejection: the hub reports it as an event
    confirmed.catch(() => {})
    return confirmed
  }

  /** Takes a member out of rooms. */
  leave(member: Member, rooms: string | Iterable<string>): void {
    for (const channel of roomChannels(rooms)) this.exit(channel, member)
  }

  /** Takes a member out of everything. */
  leaveAll(member: Member): void {
    for (const channel of this.#rooms.channelsOf(member)) this.exit(channel, member)
  }

  /** The rooms of a member, at this moment. */
  roomsOf(member: Member): ReadonlySet<string> {
    const rooms = new Set<string>()
    for (const channel of this.#rooms.channelsOf(member)) {
      const room = roomOf(channel)
      if (room !== undefined) rooms.add(room)
    }
    return rooms
  }

  /** Adds a member to a channel. Returns what confirms it, where that takes time. */
  enter(channel: string, member: Member): Promise<void> | undefined {
    // one that comes after the end would leave the channel occupied for ever
    if (member.state !== "open") return undefined
    const isNew = this.#rooms.members(channel).size === 0
    const isAdded = this.#rooms.add(channel, member)
    // asked for before anybody hears of it: a listener may make the member leave again
    const confirmed = this.#subscriptions.want(channel)
    const room = roomOf(channel)
    if (!isAdded || room === undefined) return confirmed
    this.#tell(() => {
      if (isNew) this.#events.created(room)
      this.#events.joined(room, member)
    })
    return confirmed
  }

  /** Takes a member out of a channel. Returns whether it was in it. */
  exit(channel: string, member: Member): boolean {
    if (!this.#rooms.delete(channel, member)) return false
    const isEmpty = this.#rooms.members(channel).size === 0
    if (isEmpty) this.#subscriptions.release(channel)
    const room = roomOf(channel)
    if (room === undefined) return true
    this.#tell(() => {
      this.#events.left(room, member)
      if (isEmpty) this.#events.deleted(room)
    })
    return true
  }

  /** Changes that listeners make while they are told of others are told after those. */
  #tell(news: () => void): void {
    this.#news.push(news)
    if (this.#isTelling) return
    this.#isTelling = true
    try {
      for (let next = this.#news.shift(); next; next = this.#news.shift()) next()
    } finally {
      this.#isTelling = false
    }
  }
}
