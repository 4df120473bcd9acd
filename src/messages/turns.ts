/**
 * Work of many, each one's in order: the next begins when the one before it is done. What is done at once is done at once,
 * and whoever has nothing to do takes no memory.
 */

import { QueueFullError } from "../core/errors.js"
import { isThenable } from "../core/maybe-promise.js"
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

  /** @param maxWaiting - How much work of one owner may wait. */
  constructor(maxWaiting: number) {
    this.#maxWaiting = maxWaiting
  }

  /**
   * Does some work when it is its turn.
   * @returns when it is done, if that is not at once; rejects with what the work threw.
   * @throws QueueFullError when too much waits.
   */
  take(owner: object, work: () => MaybePromise<void>): MaybePromise<void> {
    const line = this.#lines.get(owner)
    if (!line) return this.#start(owner, work)
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

  #start(owner: object, work: () => MaybePromise<void>): MaybePromise<void> {
    const done = work()
    if (!isThenable(done)) return undefined
    const line = { last: Promise.resolve(), waiting: 0 }
    this.#lines.set(owner, line)
    this.#append(owner, line, done)
    return done
  }

  #append(owner: object, line: Line, done: PromiseLike<void>): void {
    const isLast = () => {
      if (line.last === last) this.#lines.delete(owner)
    }
    const last: Promise<void> = Promise.resolve(done).then(isLast, isLast)
    line.last = last
  }
}
