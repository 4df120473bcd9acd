/**
 * One question to other nodes: it ends when all that are expected have answered, or when its time is over. Who has not
 * answered by then is missing, and that is no failure.
 */

import { type Clock, Timer } from "../core/timer.js"
import type { Answering } from "./operation.js"
import type { ClusterResult, NodeResult } from "./selection.js"

/** Collects answers. */
export class Poll {
  /** Resolves in time, whatever happens. */
  readonly result: Promise<ClusterResult<unknown>>
  readonly #missing: Set<string>
  readonly #parts = new Map<string, unknown[]>()
  readonly #results: NodeResult<unknown>[] = []
  readonly #timer: Timer
  readonly #settling: Timer
  #isOpen = false
  #resolve!: (result: ClusterResult<unknown>) => void

  /**
   * @param expected - The nodes that are known. Others may answer too.
   * @param settleMs - How long to wait for nodes that are not known yet, in milliseconds.
   */
  constructor(clock: Clock, expected: readonly string[], timeoutMs: number, settleMs: number) {
    this.#missing = new Set(expected)
    this.result = new Promise((resolve) => {
      this.#resolve = resolve
    })
    // answers that came in while this process stood still are read before anybody is missing
    this.#timer = new Timer(clock, () => clock.defer(() => this.end()))
    this.#settling = new Timer(clock, () => this.#endIfComplete())
    this.#timer.start(timeoutMs)
    if (settleMs > 0) this.#settling.start(settleMs)
    this.#isOpen = true
    this.#endIfComplete()
  }

  /** A node answered. */
  answer(nodeId: string, { value, isLast }: Answering): void {
    const parts = [...(this.#parts.get(nodeId) ?? []), value]
    this.#parts.set(nodeId, parts)
    if (!isLast) return
    this.#parts.delete(nodeId)
    this.#results.push({ nodeId, value: Array.isArray(value) ? parts.flat() : value })
    this.forget(nodeId)
  }

  /** A node is not expected any more: it answered, or said goodbye. */
  forget(nodeId: string): void {
    this.#missing.delete(nodeId)
    this.#endIfComplete()
  }

  /** Ends it now. */
  end(): void {
    this.#isOpen = false
    this.#timer.stop()
    this.#settling.stop()
    this.#resolve({ results: this.#results, missing: [...this.#missing] })
  }

  #endIfComplete(): void {
    if (this.#isOpen && this.#missing.size === 0 && !this.#settling.isArmed) this.end()
  }
}
