/**
 * The hub's word with the hubs of other nodes: who is there, what they answer, and messages for one of their connections.
 * It goes through the adapter, and never keeps anybody from working alone.
 */

import { attempt } from "../core/attempt.js"
import { reject } from "../core/options.js"
import { type Clock, Timer } from "../core/timer.js"
import type { Payload } from "../core/types.js"
import type { Adapter } from "./adapter.js"
import { BEAT_MS, NodeDirectory, type NodeDirectoryEvents } from "./node-directory.js"
import {
  type Answering,
  type Asking,
  decodeForwarding,
  decodeOperation,
  encodeForwarding,
  encodeOperation,
  type Finding,
  type Question,
} from "./operation.js"
import { Poll } from "./poll.js"
import type { ClusterResult } from "./selection.js"

const ALL = "*"
const GUEST = "guest "

/** How long others have to answer a node that is new, before it counts them, in milliseconds. */
const INTRODUCTION_MS = 200

/** Entries of a list in one answer. */
const PART = 500

/** Connections whose node is remembered; the one unused for longest is forgotten first. */
const MAX_FOUND = 10_000

/** What a cluster works with. */
export interface ClusterParts extends NodeDirectoryEvents {
  readonly clock: Clock
  readonly adapter: Adapter
  /** Does what another node asks. */
  readonly answer: (question: Question) => Promise<unknown>
  /** Hands a message to a connection of this node. Returns whether it is one. */
  readonly deliver: (connectionId: string, payload: Payload) => boolean
  /** Hears of what the adapter could not do. */
  readonly failed: (error: unknown) => void
}

/** The nodes of a hub's cluster, this one excepted. */
export class Cluster {
  readonly #parts: ClusterParts
  readonly #nodes: NodeDirectory
  readonly #beat: Timer
  readonly #polls = new Map<number, Poll>()
  /** Which node has a connection; least recently used first. */
  readonly #found = new Map<string, string>()
  /** Parts that stand beside the hub, by name. */
  readonly #guests = new Map<string, (nodeId: string, value: object) => void>()
  #startedAt: number | undefined
  #asked = 0

  constructor(parts: ClusterParts) {
    this.#parts = parts
    this.#nodes = new NodeDirectory(parts.clock, {
      up: (nodeId) => parts.up(nodeId),
      down: (nodeId) => this.#down(nodeId),
    })
    this.#beat = new Timer(parts.clock, () => this.#sayAlive())
  }

  /** The other nodes that are there. */
  get nodeIds(): string[] {
    return this.#nodes.nodeIds
  }

  /** The adapter is usable: introduces this node, and says every two seconds that it is there. */
  start(): void {
    if (this.#parts.adapter.isAlone) return
    this.#startedAt = this.#parts.clock.now()
    this.#say(ALL, "hello", {})
    this.#nodes.start()
    this.#beat.start(BEAT_MS)
  }

  /** Asks all other nodes. Never rejects. */
  ask(question: Question, timeoutMs: number): Promise<ClusterResult<unknown>> {
    const { adapter, clock } = this.#parts
    if (adapter.isAlone || this.#startedAt === undefined) return NOBODY
    this.#asked += 1
    const id = this.#asked
    const settleMs = this.#startedAt + INTRODUCTION_MS - clock.now()
    const poll = new Poll(clock, this.#nodes.nodeIds, timeoutMs, settleMs)
    this.#polls.set(id, poll)
    this.#send(ALL, "ask", encodeOperation({ ...question, id })).catch(() => poll.end())
    void poll.result.then(() => this.#polls.delete(id))
    return poll.result
  }

  /** Sends a message to a connection that this node does not have. Returns whether there is anybody to send it to. */
  forward(connectionId: string, payload: Payload): boolean {
    if (this.#parts.adapter.isAlone) return false
    const nodeId = this.#found.get(connectionId)
    if (nodeId !== undefined) this.#remember(connectionId, nodeId)
    const bytes = encodeForwarding({ connectionId, payload, isDirected: nodeId !== undefined })
    this.#send(nodeId ?? ALL, "forward", bytes).catch((error: unknown) => this.#parts.failed(error))
    return true
  }

  /**
   * Lets a part that stands beside the hub talk with its like on other nodes. What it says may be lost.
   * @throws InvalidOptionError for a name that another part has.
   */
  guest(name: string, hear: (nodeId: string, value: object) => void) {
    const operation = GUEST + name
    if (this.#guests.has(operation)) reject("name", "one that nothing else beside this hub has", name)
    this.#guests.set(operation, hear)
    return {
      say: (nodeId: string, value: object) => {
        if (this.#startedAt !== undefined) this.#say(nodeId, operation, value)
      },
      leave: () => void this.#guests.delete(operation),
    }
  }

  /** Another node sent an operation. One that is not known here is ignored. */
  receive(nodeId: string, operation: string, bytes: Uint8Array): void {
    if (operation === "bye") this.#left(nodeId)
    else if (operation === "hello" || operation === "alive") this.#nodes.heard(nodeId)
    if (operation === "hello") this.#say(nodeId, "alive", {})
    else if (operation === "ask") void this.#answer(nodeId, bytes)
    else if (operation === "answer") this.#take(nodeId, bytes)
    else if (operation === "forward") this.#deliver(nodeId, bytes)
    else if (operation === "found") this.#note(nodeId, bytes)
    else if (operation === "lost") this.#unnote(nodeId, bytes)
    else if (operation.startsWith(GUEST)) this.#pass(nodeId, operation, bytes)
  }

  /** Says goodbye. */
  async close(): Promise<void> {
    this.#beat.stop()
    for (const poll of this.#polls.values()) poll.end()
    this.#nodes.clear()
    if (this.#startedAt === undefined) return
    this.#startedAt = undefined
    await this.#send(ALL, "bye", encodeOperation({})).catch(() => {})
  }

  #sayAlive(): void {
    this.#nodes.sweep()
    this.#say(ALL, "alive", {})
    this.#beat.start(BEAT_MS)
  }

  async #answer(nodeId: string, bytes: Uint8Array): Promise<void> {
    const asking = decodeOperation<Asking>(bytes)
    if (!asking) return
    const { id, ...question } = asking
    try {
      const value = await this.#parts.answer(question as Question)
      if (id === undefined || value === undefined) return
      for (const part of inParts(value)) {
        await this.#send(nodeId, "answer", encodeOperation({ id, ...part }))
      }
    } catch (error) {
      // whoever asked finds this node among the missing
      this.#parts.failed(error)
    }
  }

  #take(nodeId: string, bytes: Uint8Array): void {
    const answering = decodeOperation<Answering>(bytes)
    if (answering) this.#polls.get(answering.id)?.answer(nodeId, answering)
  }

  #deliver(nodeId: string, bytes: Uint8Array): void {
    const forwarding = decodeForwarding(bytes)
    if (!forwarding) return
    const { connectionId, payload, isDirected } = forwarding
    const isHere = this.#parts.deliver(connectionId, payload)
    if (isHere && !isDirected) this.#say(nodeId, "found", { connectionId } satisfies Finding)
    if (isHere || !isDirected) return
    // it was here and has left: it may have come back elsewhere under the same id
    this.#say(nodeId, "lost", { connectionId } satisfies Finding)
    const again = encodeForwarding({ connectionId, payload, isDirected: false })
    this.#send(ALL, "forward", again).catch((error: unknown) => this.#parts.failed(error))
  }

  #pass(nodeId: string, operation: string, bytes: Uint8Array): void {
    const value = decodeOperation<object>(bytes)
    if (value) this.#guests.get(operation)?.(nodeId, value)
  }

  #note(nodeId: string, bytes: Uint8Array): void {
    const finding = decodeOperation<Finding>(bytes)
    if (typeof finding?.connectionId === "string") this.#remember(finding.connectionId, nodeId)
  }

  #unnote(nodeId: string, bytes: Uint8Array): void {
    const connectionId = decodeOperation<Finding>(bytes)?.connectionId ?? ""
    if (this.#found.get(connectionId) === nodeId) this.#found.delete(connectionId)
  }

  #remember(connectionId: string, nodeId: string): void {
    this.#found.delete(connectionId)
    this.#found.set(connectionId, nodeId)
    if (this.#found.size <= MAX_FOUND) return
    const [oldest] = this.#found.keys()
    this.#found.delete(oldest as string)
  }

  /** Whoever said goodbye has closed its connections: nothing of it is missing. */
  #left(nodeId: string): void {
    this.#nodes.left(nodeId)
    for (const poll of this.#polls.values()) poll.forget(nodeId)
  }

  #down(nodeId: string): void {
    for (const [connectionId, home] of this.#found) if (home === nodeId) this.#found.delete(connectionId)
    this.#parts.down(nodeId)
  }

  /** Says something that is said again, or asked for again, when it is lost. */
  #say(nodeId: string, operation: string, value: object): void {
    this.#send(nodeId, operation, encodeOperation(value)).catch(() => {})
  }

  async #send(nodeId: string, operation: string, bytes: Uint8Array): Promise<void> {
    await attempt(() => this.#parts.adapter.send(nodeId, operation, bytes))
  }
}

const NOBODY: Promise<ClusterResult<unknown>> = /* @__PURE__ */ Promise.resolve({ results: [], missing: [] })

function inParts(value: unknown): Omit<Answering, "id">[] {
  if (!Array.isArray(value) || value.length <= PART) return [{ value, isLast: true }]
  const parts: Omit<Answering, "id">[] = []
  for (let at = 0; at < value.length; at += PART) {
    parts.push({ value: value.slice(at, at + PART), isLast: at + PART >= value.length })
  }
  return parts
}
