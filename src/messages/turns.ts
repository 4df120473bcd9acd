/**
 * Work of many, each one's in order: the next begins when the one before it is done. What is done at once is done at once,
 * and whoever has nothing to do takes no memory.
 */

import { QueueFullError } from "../core/errors.js"
import type { MaybePromise } from "../core/types.js"

interface Line {
  /** Settles when everything so far is done. Never rejects. */
  last: Promise<void>
  waiting: number
}

/** One line for each owner of work. */
export class Turns {
  readonly #maxWaiting: number
  readonly #lines = new WeakMap<object, Line>()
  /** How many lines there are: where there is none, nobody has to be looked for. */
  #lineCount = 0

  /** @param maxWaiting - How much work of one owner may wait. */
  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting
  }

  /** Whether the work of an owner need not wait. */
  isFree(owner: object): boolean {
    return this.#lineCount === 0 || !this.#lines.has(owner)
  }

  /** Work that did not have to wait is under way: what follows waits for it. */
  begun(owner: object, done: PromiseLike<void>): void {
    const line = { last: Promise.resolve(), waiting: 0 }
    this.#lines.set(owner, line)
    this.#lineCount += 1
    this.#append(owner, line, done)
  }

  /**
   * Does some work of an owner that is not free when it is its turn.
   * @returns when it is done; rejects with what the work threw.
   * @throws QueueFullError when too much waits.
   */
  take(owner: object, work: () => MaybePromise<void>): Promise<void> {
    const line = this.#lines.get(owner) as Line
    if (line.waiting >= this.#maxWaiting)
      throw new QueueFullError(`${line.waiting} messages wait to be handled`)
    line.waiting += 1
    const done = line.last.then(() => {
      line.waiting -= 1
      return work()
    })
    this.#append(owner, line, done)
    return done
  }

  #append(owner: object, line: Line, done: PromiseLike<void>): void {
    const isLast = () => {
      if (line.last !== last) return
      this.#lines.delete(owner)
      this.#lineCount -= 1
    }
    const last: Promise<void> = Promise.resolve(done).then(isLast, isLast)
    line.last = last
  }
}
