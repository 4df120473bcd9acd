/**
 * Whom a message goes to: rooms, users or everybody, less some. A value: it may be kept and used again, and each
 * method returns a new one. It holds names, not members, so it always means whoever is there when it is used.
 */

import type { CloseInfo } from "../wire/connection-events.js"
import type { SendResult } from "../wire/outbox-options.js"
import { EVERYBODY, roomChannels } from "./channel.js"

/** A connection, or its id. */
export type Target =
  | string
  | {
      /** The id of its connection. */
      readonly id: string
    }

/** What became of a message on this node. Receivers that were closing are in `matched` alone. */
export interface SendReport {
  /** Connections the selection meant. */
  readonly matched: number
  /** It leaves at the end of this turn. */
  readonly sent: number
  /** It waits for a slow reader, or for a large message before it that is being compressed. */
  readonly queued: number
  /** A slow reader's overflow policy gave it up. */
  readonly dropped: number
}

/**
 * What became of a message for one connection: as with the connection's own `send`, or `forwarded` to other nodes, of
 * which one may have it.
 */
export type HubSendResult = SendResult | "forwarded"

/** What one node answered. */
export interface NodeResult<Value> {
  /** The node. */
  readonly nodeId: string
  /** Its answer. */
  readonly value: Value
}

/** What the nodes of a cluster answered. A dead node is named, and never makes the rest fail. */
export interface ClusterResult<Value> {
  /** One entry for each node that answered. */
  readonly results: readonly NodeResult<Value>[]
  /** Nodes that did not answer in time. */
  readonly missing: readonly string[]
}

/** One member of a room, as other nodes may know it. */
export interface MemberInfo {
  /** Its connection's id. */
  readonly id: string
  /** Whose connection it is, where that is known. */
  readonly userId: string | undefined
}

/** The names that a selection stands for. */
export interface SelectionNames {
  /** Connections in any of these channels are meant. */
  readonly channels: readonly string[]
  /** Connections with these ids are not. */
  readonly exceptIds: readonly string[]
  /** Members of these channels are not. */
  readonly exceptChannels: readonly string[]
  /** Whether other nodes are left alone. */
  readonly isLocal: boolean
}

/** Who carries a selection out. */
export interface SelectionOwner<Outgoing, Member = unknown> {
  /** Sends to everybody meant. */
  deliver(names: SelectionNames, message: Outgoing, key: string | undefined): SendReport
  /** Everybody meant on this node. */
  pick(names: SelectionNames): readonly Member[]
  /** Adds everybody meant to a room. */
  joinAll(names: SelectionNames, room: string): Promise<ClusterResult<number>>
  /** Takes everybody meant out of a room. */
  leaveAll(names: SelectionNames, room: string): Promise<ClusterResult<number>>
  /** Closes everybody meant. */
  closeAll(names: SelectionNames, code: number, reason: string): Promise<ClusterResult<readonly CloseInfo[]>>
  /** Counts everybody meant. */
  countAll(names: SelectionNames): Promise<ClusterResult<number>>
}

/** Everybody, on all nodes. */
export const ALL: SelectionNames = /* @__PURE__ */ Object.freeze({
  channels: Object.freeze([EVERYBODY]),
  exceptIds: Object.freeze([]),
  exceptChannels: Object.freeze([]),
  isLocal: false,
})

/** Connections picked by name. A connection that is picked twice is meant once. */
export class Selection<Outgoing, Member = unknown> {
  readonly #owner: SelectionOwner<Outgoing, Member>
  readonly #names: SelectionNames

  constructor(owner: SelectionOwner<Outgoing, Member>, names: SelectionNames) {
    this.#owner = owner
    this.#names = names
  }

  /** The same selection, only on this node. */
  get local(): Selection<Outgoing, Member> {
    return this.#with({ isLocal: true })
  }

  /**
   * The members of more rooms as well.
   * @throws InvalidOptionError for a room name that is empty or above 512 bytes.
   */
  to(rooms: string | Iterable<string>): Selection<Outgoing, Member> {
    const more = roomChannels(rooms)
    const { channels } = this.#names
    // everybody is more than any room: another node must not serve a room's members a second time
    if (channels.includes(EVERYBODY)) return this
    return this.#with({ channels: [...new Set([...channels, ...more])] })
  }

  /** Without these connections, given as such or by id. */
  except(targets: Target | readonly Target[]): Selection<Outgoing, Member> {
    return this.#with({ exceptIds: [...this.#names.exceptIds, ...targetIds(targets)] })
  }

  /** Without the members of these rooms. */
  exceptRooms(rooms: string | Iterable<string>): Selection<Outgoing, Member> {
    return this.#with({ exceptChannels: [...this.#names.exceptChannels, ...roomChannels(rooms)] })
  }

  /**
   * Sends a message: encoded once, framed once, whatever the number of receivers. The report is about this node.
   * @param options - `key` names the value it carries, for the overflow policy `latest`.
   * @throws CodecError when the codec cannot encode it.
   */
  send(message: Outgoing, options?: { readonly key?: string }): SendReport {
    return this.#owner.deliver(this.#names, message, options?.key)
  }

  /** The connections of this node that are meant at this moment. */
  get connections(): readonly Member[] {
    return this.#owner.pick(this.#names)
  }

  /** How many connections are meant, by node. */
  count(): Promise<ClusterResult<number>> {
    return this.#owner.countAll(this.#names)
  }

  /** Adds all of them to a room. Tells how many were not in it before, by node. */
  joinRoom(room: string): Promise<ClusterResult<number>> {
    return this.#owner.joinAll(this.#names, room)
  }

  /** Takes all of them out of a room. Tells how many were in it, by node. */
  leaveRoom(room: string): Promise<ClusterResult<number>> {
    return this.#owner.leaveAll(this.#names, room)
  }

  /** Closes all of them and waits until they are closed. */
  close(code?: number, reason = ""): Promise<ClusterResult<readonly CloseInfo[]>> {
    return this.#owner.closeAll(this.#names, code ?? 1000, reason)
  }

  #with(change: Partial<SelectionNames>): Selection<Outgoing, Member> {
    return new Selection(this.#owner, Object.freeze({ ...this.#names, ...change }))
  }
}

/** The ids of connections that are given as such or by id. */
export function targetIds(targets: Target | readonly Target[]): string[] {
  return list<Target>(targets).map((it) => (typeof it === "string" ? it : it.id))
}

function list<T>(one: T | readonly T[]): readonly T[] {
  return Array.isArray(one) ? one : [one as T]
}
