/**
 * A node without a hub, for tests of one adapter: it connects, and writes down what it is told.
 */

import type { Adapter, AdapterGap, AdapterMessage, AdapterState } from "holdfast"
import { silentLogger } from "holdfast"

let nodes = 0

export class AdapterNode {
  readonly adapter: Adapter
  readonly nodeId: string
  readonly messages: AdapterMessage[] = []
  readonly gaps: AdapterGap[] = []
  readonly states: AdapterState[] = []

  constructor(adapter: Adapter) {
    nodes += 1
    this.nodeId = `node ${process.pid} ${nodes}`
    this.adapter = adapter
  }

  /** A node that is up. */
  static async start(adapter: Adapter, ...channels: string[]): Promise<AdapterNode> {
    const node = new AdapterNode(adapter)
    await node.connect()
    await adapter.subscribe(channels)
    return node
  }

  /** What came in, as text. */
  get texts(): string[] {
    return this.messages.map(({ payload }) => String(payload))
  }

  /** How many payloads are counted as lost. */
  get lost(): number {
    return this.gaps.reduce((sum, { count = 0 }) => sum + count, 0)
  }

  async connect(isPublisher = false): Promise<void> {
    await this.adapter.connect({
      nodeId: this.nodeId,
      isPublisher,
      onMessage: (message) => void this.messages.push(message),
      onOperation() {},
      onState: (state) => void this.states.push(state),
      onGap: (gap) => void this.gaps.push(gap),
      logger: silentLogger,
      signal: new AbortController().signal,
    })
  }

  async publish(channel: string, payload: string | Uint8Array): Promise<void> {
    await this.adapter.publish(channel, payload, { exceptIds: [], exceptChannels: [] })
  }

  async close(): Promise<void> {
    await this.adapter.close({ deadlineMs: 500 })
  }
}
