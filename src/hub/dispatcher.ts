/**
 * Carries selections out: on this node through the fan-out, on others through the adapter.
 * Members of this node are served first, and whatever becomes of the adapter.
 */

import { attempt } from "../core/attempt.js"
import type { MaybePromise, Payload } from "../core/types.js"
import type { CloseInfo } from "../wire/connection-events.js"
import type { ConnectionSettings } from "../wire/connection-options.js"
import { Frame } from "../wire/frame.js"
import { encodeWith } from "../wire/payload.js"
import type { Adapter, AdapterMessage } from "./adapter.js"
import { roomChannel } from "./channel.js"
import type { Cluster } from "./cluster.js"
import { FanOut } from "./fan-out.js"
import type { HubConnection } from "./hub-connection.js"
import type { HubCounters } from "./hub-counters.js"
import { checkCloseCode } from "./hub-options.js"
import type { Membership } from "./membership.js"
import type { Question } from "./operation.js"
import type { Rooms } from "./rooms.js"
import type {
  ClusterResult,
  MemberInfo,
  NodeResult,
  SelectionNames,
  SelectionOwner,
  SendReport,
} from "./selection.js"

/** What a dispatcher works with. */
export interface DispatcherParts<Incoming, Outgoing, Data> {
  /** This node's name. */
  readonly nodeId: string
  /** The connections of this node, by id. */
  readonly connections: ReadonlyMap<string, HubConnection<Incoming, Outgoing, Data>>
  /** Who is in which channel. */
  readonly rooms: Rooms<HubConnection<Incoming, Outgoing, Data>>
  /** Changes who is in which channel. */
  readonly membership: Membership<HubConnection<Incoming, Outgoing, Data>>
  /** How messages are encoded, and what counts it. */
  readonly settings: ConnectionSettings<Incoming, Outgoing>
  /** What counts the receivers. */
  readonly counters: HubCounters
  /** The way to other nodes. */
  readonly adapter: Adapter
  /** The other nodes. */
  readonly cluster: Pick<Cluster, "ask" | "forward">
  /** How long other nodes have to answer, in milliseconds. */
  readonly queryTimeoutMs: number
  /** Hears of what the adapter could not do. */
  readonly adapterFailed: (error: unknown) => void
}

/** Does what selections ask for. */
export class Dispatcher<Incoming, Outgoing, Data>
  implements SelectionOwner<Outgoing, HubConnection<Incoming, Outgoing, Data>>
{
  readonly #parts: DispatcherParts<Incoming, Outgoing, Data>
  readonly #fanOut: FanOut<HubConnection<Incoming, Outgoing, Data>>

  constructor(parts: DispatcherParts<Incoming, Outgoing, Data>) {
    this.#parts = parts
    this.#fanOut = new FanOut(parts.connections, parts.rooms)
  }

  deliver(names: SelectionNames, message: Outgoing, key: string | undefined): SendReport {
    const { settings, counters, adapter } = this.#parts
    const encoded = encodeWith(settings.codec, message)
    const frame = new Frame(encoded, settings.counters, key === undefined ? undefined : { key })
    const report = this.#fanOut.send(names, frame)
    counters.receivers.observe(report.matched)
    if (!names.isLocal && !adapter.isAlone) this.#publish(names, frame.payload)
    return report
  }

  pick(names: SelectionNames): HubConnection<Incoming, Outgoing, Data>[] {
    const picked: HubConnection<Incoming, Outgoing, Data>[] = []
    this.#fanOut.forEach(names, (connection) => picked.push(connection))
    return picked
  }

  async joinAll(names: SelectionNames, room: string): Promise<ClusterResult<number>> {
    roomChannel(room)
    return this.#everywhere(names, { ask: "join", names: plain(names), room }, () => this.#join(names, room))
  }

  async leaveAll(names: SelectionNames, room: string): Promise<ClusterResult<number>> {
    roomChannel(room)
    return this.#everywhere(names, { ask: "leave", names: plain(names), room }, () =>
      this.#leave(names, room),
    )
  }

  async closeAll(
    names: SelectionNames,
    code: number,
    reason: string,
  ): Promise<ClusterResult<readonly CloseInfo[]>> {
    checkCloseCode(code)
    const question: Question = { ask: "close", names: plain(names), code, reason }
    const { closeTimeoutMs } = this.#parts.settings
    return this.#everywhere(names, question, () => this.#close(names, code, reason), closeTimeoutMs)
  }

  countAll(names: SelectionNames): Promise<ClusterResult<number>> {
    return this.#everywhere(names, { ask: "count", names: plain(names) }, () => this.pick(names).length)
  }

  /** Who is meant, as other nodes may know them. */
  listAll(names: SelectionNames): Promise<ClusterResult<readonly MemberInfo[]>> {
    return this.#everywhere(names, { ask: "list", names: plain(names) }, () => this.#list(names))
  }

  /** Sends to one connection of another node. Says whether there may be one. */
  forward(id: string, message: Outgoing): boolean {
    const { cluster, adapter, settings } = this.#parts
    if (adapter.isAlone) return false
    // a frame's payload is a copy: whoever sent it may use its memory again
    return cluster.forward(id, new Frame(encodeWith(settings.codec, message), settings.counters).payload)
  }

  /** Does on this node what another one asks. `undefined` for a question that this node does not know. */
  async answer(question: Question): Promise<unknown> {
    const names = { ...question.names, isLocal: true }
    if (question.ask === "count") return this.pick(names).length
    if (question.ask === "list") return this.#list(names)
    if (question.ask === "join") return this.#join(names, question.room)
    if (question.ask === "leave") return this.#leave(names, question.room)
    return question.ask === "close" ? this.#close(names, question.code, question.reason) : undefined
  }

  /** Hands a payload of another node to one connection of this node. Returns whether it is here. */
  receiveFor(id: string, payload: Payload): boolean {
    const connection = this.#parts.connections.get(id)
    connection?.transmit(new Frame(payload, this.#parts.settings.counters))
    return connection !== undefined
  }

  /** Hands a payload of another node to the members of this one. It goes no further. */
  receive({ channel, payload, exceptIds, exceptChannels }: AdapterMessage): void {
    const frame = new Frame(payload, this.#parts.settings.counters)
    this.#fanOut.send({ channels: [channel], exceptIds, exceptChannels }, frame)
  }

  /** Each channel once; a node that has a member in several of them leaves out those it served before. */
  #publish({ channels, exceptIds, exceptChannels }: SelectionNames, payload: Payload): void {
    const { adapter, adapterFailed, counters } = this.#parts
    const { publishes } = counters
    const taken = () => {
      publishes.ok += 1
    }
    const refused = (error: unknown) => {
      publishes.failed += 1
      adapterFailed(error)
    }
    channels.forEach((channel, index) => {
      const meta = { exceptIds, exceptChannels: [...exceptChannels, ...channels.slice(0, index)] }
      const published = attempt(() => adapter.publish(channel, payload, meta))
      if (published === undefined) publishes.ok += 1
      else published.then(taken, refused)
    })
  }

  async #everywhere<Value>(
    names: SelectionNames,
    question: Question,
    here: () => MaybePromise<Value>,
    extraMs = 0,
  ): Promise<ClusterResult<Value>> {
    const { cluster, nodeId, queryTimeoutMs } = this.#parts
    const asked = names.isLocal ? undefined : cluster.ask(question, queryTimeoutMs + extraMs)
    const value = await here()
    const { results, missing } = (await asked) ?? { results: [], missing: [] }
    return { results: [{ nodeId, value }, ...(results as NodeResult<Value>[])], missing }
  }

  async #join(names: SelectionNames, room: string): Promise<number> {
    const channel = roomChannel(room)
    const joining = this.pick(names).filter(
      (it) => it.state === "open" && !this.#parts.rooms.has(channel, it),
    )
    await Promise.all(joining.map((it) => it.join(room)))
    return joining.length
  }

  #leave(names: SelectionNames, room: string): number {
    const channel = roomChannel(room)
    return this.pick(names).filter((it) => this.#parts.membership.exit(channel, it)).length
  }

  #close(names: SelectionNames, code: number, reason: string): Promise<CloseInfo[]> {
    return Promise.all(this.pick(names).map((it) => it.close(code, reason)))
  }

  #list(names: SelectionNames): MemberInfo[] {
    return this.pick(names).map(({ id, userId }) => ({ id, userId }))
  }
}

/** What other nodes need of a selection's names. */
function plain({ channels, exceptIds, exceptChannels }: SelectionNames): Question["names"] {
  return { channels, exceptIds, exceptChannels }
}
