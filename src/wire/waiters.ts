/**
 * Those who wait for one event, each with a promise. It does not know what they wait for.
 */

/** Made when the first one waits. */
export class Waiters {
  readonly #waiting: { resolve(): void; reject(error: Error): void }[] = []

  /** One more waits. */
  wait(): Promise<void> {
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** It has happened. */
  resolve(): void {
    for (const waiter of this.#waiting.splice(0)) waiter.resolve()
  }

  /** It will not happen any more. */
  reject(makeError: () => Error): void {
    for (const waiter of this.#waiting.splice(0)) waiter.reject(makeError())
  }
}
