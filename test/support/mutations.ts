/**
 * Bytes gone wrong, the same in every run: good input that was flipped, cut, doubled, swapped or mixed with noise.
 */

import { seededRandom } from "./seeded-random.js"

/** Chance from a seed, in the forms that are needed. */
export class Chance {
  readonly #random: () => number

  constructor(seed: number) {
    this.#random = seededRandom(seed)
  }

  /** A whole number from 0 on, below a bound. */
  below(bound: number): number {
    return Math.floor(this.#random() * bound)
  }

  /** Whether something comes to pass that does so once in so many times. */
  oneIn(times: number): boolean {
    return this.below(times) === 0
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** Up to so many random bytes. */
  noise(most: number): Buffer {
    return Buffer.from(Array.from({ length: this.below(most + 1) }, () => this.below(256)))
  }

  /** The same bytes in several pieces. */
  pieces(bytes: Buffer): Buffer[] {
    const at = Array.from({ length: this.below(3) }, () => this.below(bytes.length + 1)).sort((a, b) => a - b)
    return [...at, bytes.length].map((end, index) => bytes.subarray(at[index - 1] ?? 0, end))
  }

  /** Something good with one to four things wrong. */
  mutated(good: Buffer): Buffer {
    let bytes: Buffer = Buffer.from(good)
    for (let count = this.below(4); count >= 0; count -= 1) bytes = this.#mutate(bytes)
    return bytes
  }

  #mutate(bytes: Buffer): Buffer {
    const [from, to] = [this.below(bytes.length + 1), this.below(bytes.length + 1)].sort((a, b) => a - b) as [
      number,
      number,
    ]
    const [before, part, after] = [bytes.subarray(0, from), bytes.subarray(from, to), bytes.subarray(to)]
    switch (this.below(6)) {
      case 0:
        return this.#flipped(bytes)
      case 1:
        return Buffer.concat([before, after])
      case 2:
        return Buffer.concat([before, part, part, after])
      case 3:
        return Buffer.concat([before, this.noise(20), after])
      case 4:
        return Buffer.concat([after, part, before])
      default:
        return before
    }
  }

  #flipped(bytes: Buffer): Buffer {
    for (let count = this.below(4); count >= 0 && bytes.length > 0; count -= 1) {
      // headers come first, and every bit of them means something
      const at = this.below(this.oneIn(2) ? Math.min(bytes.length, 14) : bytes.length)
      bytes[at] = (bytes[at] as number) ^ (1 << this.below(8))
    }
    return bytes
  }
}
