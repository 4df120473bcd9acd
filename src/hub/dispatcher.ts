/**
 * Carries selections out: on this node through the fan-out, on others through the adapter.
 * Members of this node are served first, and whatever becomes of the adapter.
 */

import { attempt } from "../core/attempt.js"
import type { Payload } from "../core/types.js"
import type { CloseInfo } from "../wire/connection-events.js"
import type { ConnectionSettings } from "../wire/connection-options.js"
import { Frame } from "../wire/frame.js"
import type { Adapter, AdapterMessage } from "./adapter.js"
import { roomChannel } from "./channel.js"
import { FanOut } from "./fan-out.js"
import type { HubConnection } from "./hub-connection.js"
import type { HubCounters } from "./hub-counters.js"
import { checkCloseCode } from "./hub-options.js"
import type { Membership } from "./membership.js"
import type { Rooms } from "./rooms.js"
import type { ClusterResult, SelectionNames, SelectionOwner, SendReport } from "./selection.js"

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
    const encoded = settings.codec.encode(message)
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
    const channel = roomChannel(room)
    const joining = this.pick(names).filter(
      (it) => it.state === "open" && !this.#parts.rooms.has(channel, it),
    )
    await Promise.all(joining.map((it) => it.join(room)))
    return this.answer(joining.length)
  }

  async leaveAll(names: SelectionNames, room: string): Promise<ClusterResult<number>> {
    const channel = roomChannel(room)
    return this.answer(this.pick(names).filter((it) => this.#parts.membership.exit(channel, it)).length)
  }

  async closeAll(
    names: SelectionNames,
    code: number,
    reason: string,
  ): Promise<ClusterResult<readonly CloseInfo[]>> {
    checkCloseCode(code)
    return this.answer(await Promise.all(this.pick(names).map((it) => it.close(code, reason))))
  }

  async countAll(names: SelectionNames): Promise<ClusterResult<number>> {
    return this.answer(this.pick(names).length)
  }

  /** This node's part of a cluster's answer. */
  answer<Value>(value: Value): ClusterResult<Value> {
    return { results: [{ nodeId: this.#parts.nodeId, value }], missing: [] }
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
}
