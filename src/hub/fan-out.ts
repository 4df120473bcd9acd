/**
 * Hands one frame to every member a selection means, once each, and counts what became of it.
 */

import type { Frame } from "../wire/frame.js"
import type { SendResult } from "../wire/outbox-options.js"
import { EVERYBODY } from "./channel.js"
import type { Rooms } from "./rooms.js"
import type { SelectionNames, SendReport } from "./selection.js"

/** What a fan-out needs of a member. */
export interface Receiver {
  /** Its name. */
  readonly id: string
  /** Takes a frame that others take too. */
  transmit(frame: Frame): SendResult
}

/** The members of this node, by id and by channel. */
export class FanOut<Member extends Receiver> {
  readonly #everybody: ReadonlyMap<string, Member>
  readonly #rooms: Rooms<Member>

  constructor(everybody: ReadonlyMap<string, Member>, rooms: Rooms<Member>) {
    this.#everybody = everybody
    this.#rooms = rooms
  }

  /** Gives a frame to every member meant. */
  send(names: Omit<SelectionNames, "isLocal">, frame: Frame): SendReport {
    let [matched, sent, queued, dropped] = [0, 0, 0, 0]
    this.forEach(names, (member) => {
      matched += 1
      const result = member.transmit(frame)
      if (result === "sent") sent += 1
      else if (result === "queued") queued += 1
      else if (result === "dropped") dropped += 1
    })
    return { matched, sent, queued, dropped }
  }

  /** Visits every member meant, once. */
  forEach(names: Omit<SelectionNames, "isLocal">, visit: (member: Member) => void): void {
    const isExcepted = this.#exception(names)
    // kept for each call, not marked on the members: a listener may send again while this runs
    const met = names.channels.length > 1 ? new Set<Member>() : undefined
    for (const channel of names.channels) {
      const members = this.#members(channel)
      let left = members.size
      for (const member of members.values()) {
        // whoever comes while it is handed out is not meant; one that leaves and comes back would never be done
        if (left === 0) break
        left -= 1
        if (met?.has(member)) continue
        met?.add(member)
        if (!isExcepted?.(member)) visit(member)
      }
    }
  }

  #members(channel: string): ReadonlyMap<string, Member> | ReadonlySet<Member> {
    return channel === EVERYBODY ? this.#everybody : this.#rooms.members(channel)
  }

  #exception(names: Omit<SelectionNames, "isLocal">): ((member: Member) => boolean) | undefined {
    const { exceptIds, exceptChannels } = names
    if (exceptIds.length === 0 && exceptChannels.length === 0) return undefined
    const ids = new Set(exceptIds)
    return (member) =>
      ids.has(member.id) || exceptChannels.some((channel) => this.#rooms.has(channel, member))
  }
}
