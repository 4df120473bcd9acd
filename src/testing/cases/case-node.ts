/**
 * A node without a hub: it connects an adapter, writes down what it is told, and asks it for things.
 */

import { silentLogger } from "../../core/logger.js"
import type { Payload } from "../../core/types.js"
import type { Adapter, AdapterGap, AdapterMessage, AdapterState, PublishMeta } from "../../hub/adapter.js"
import { randomId } from "../../wire/connection-options.js"
import { type AdapterLab, check, pass, settles, until } from "./adapter-case.js"

const NO_EXCEPTIONS: PublishMeta = Object.freeze({ exceptIds: [], exceptChannels: [] })

/** One operation that came in. */
export interface CaseOperation {
  readonly nodeId: string
  readonly operation: string
  readonly bytes: Uint8Array
}

/** One node of a case. */
export class CaseNode {
  readonly nodeId = randomId()
  readonly adapter: Adapter
  readonly messages: AdapterMessage[] = []
  readonly operations: CaseOperation[] = []
  readonly gaps: AdapterGap[] = []
  readonly states: AdapterState[] = []
  readonly #lab: AdapterLab
  readonly #ending = new AbortController()

  constructor(lab: AdapterLab, adapter: Adapter) {
    this.#lab = lab
    this.adapter = adapter
  }

  /** What came in on a channel, in order. */
  on(channel: string): Payload[] {
    return this.messages.filter((it) => it.channel === channel).map(({ payload }) => payload)
  }

  /** How many payloads are known not to have come. */
  get missed(): number {
    return this.gaps.reduce((sum, { count = 0 }) => sum + count, 0)
  }

  /** Connects. Does not wait. */
  async connect(): Promise<void> {
    await this.adapter.connect({
      nodeId: this.nodeId,
      onMessage: (message) => void this.messages.push(message),
      onOperation: (nodeId, operation, bytes) => void this.operations.push({ nodeId, operation, bytes }),
      onState: (state) => void this.states.push(state),
      onGap: (gap) => void this.gaps.push(gap),
      logger: silentLogger,
      signal: this.#ending.signal,
    })
  }

  /** Subscribes, and waits for the confirmation. */
  subscribe(...channels: string[]): Promise<void> {
    return settles(this.#lab, this.adapter.subscribe(channels), "subscribe to resolve")
  }

  /** Unsubscribes, and waits for the end of it. */
  unsubscribe(...channels: string[]): Promise<void> {
    return settles(this.#lab, this.adapter.unsubscribe(channels), "unsubscribe to resolve")
  }

  /** Publishes. Does not wait; whoever ignores the promise ignores a rejection. */
  publish(channel: string, payload: Payload, meta: Partial<PublishMeta> = {}): Promise<void> {
    const published = (async () => this.adapter.publish(channel, payload, { ...NO_EXCEPTIONS, ...meta }))()
    published.catch(() => {})
    return published
  }

  /** Publishes, and waits until the engine took it. */
  say(channel: string, payload: Payload, meta?: Partial<PublishMeta>): Promise<void> {
    return settles(this.#lab, this.publish(channel, payload, meta), "publish to resolve")
  }

  /** Waits until so many payloads came in on a channel. */
  async hears(channel: string, count: number, ms?: number): Promise<readonly Payload[]> {
    await until(this.#lab, () => this.on(channel).length >= count, `${count} payloads on a channel`, ms)
    return this.on(channel)
  }

  /** Closes. */
  async close(deadlineMs = 1_000): Promise<void> {
    this.#ending.abort()
    await settles(this.#lab, this.adapter.close({ deadlineMs }), "close to resolve")
  }
}

/** The nodes of a case, which end with it. */
export class CaseNodes {
  readonly lab: AdapterLab
  readonly #nodes: CaseNode[] = []

  constructor(lab: AdapterLab) {
    this.lab = lab
  }

  /** A node that is not connected. */
  async make(): Promise<CaseNode> {
    const node = new CaseNode(this.lab, await this.lab.makeAdapter())
    this.#nodes.push(node)
    return node
  }

  /** A node that is up. */
  async start(...channels: string[]): Promise<CaseNode> {
    const node = await this.make()
    await settles(this.lab, node.connect(), "connect to resolve")
    if (channels.length === 0) return node
    await node.subscribe(...channels)
    // whether a confirmation can be relied on is a case of its own
    await pass(this.lab, 5)
    return node
  }

  /** Two nodes that are up and know each other's way: a publisher, and one that hears the channel. */
  async pair(channel: string): Promise<{ readonly speaker: CaseNode; readonly hearer: CaseNode }> {
    const [speaker, hearer] = await Promise.all([this.start(), this.start(channel)])
    check(speaker !== undefined && hearer !== undefined, "two nodes")
    return { speaker, hearer }
  }

  /** Ends all nodes. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#nodes.map((node) => node.close(0)))
  }
}
