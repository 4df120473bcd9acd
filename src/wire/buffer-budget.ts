/**
 * What many outboxes hold together, and who is given up when that is too much. It knows no connections, and sends
 * nothing.
 *
 * Outboxes note what they hold when they write to a sink that does not take everything, and when their backlog changes:
 * one that is read at full speed never notes anything. What a sink has let go since is not told, so the sum is an upper
 * bound; it is counted exactly before anybody is given up.
 */

/** One of those who hold bytes. */
export interface BudgetMember {
  /** Bytes that it holds, but for those that leave with this turn. */
  readonly waitingBytes: number
  /** What it has noted last; kept by the budget. */
  notedBytes: number
  /** Lets go of everything, for good. Returns whether it could. */
  shed(): boolean
}

/** The part of the ceiling that is left filled, so that the next byte does not begin it anew. */
const RELIEVED_SHARE = 0.9

/** A ceiling over many. */
export class BufferBudget {
  /** How many were given up. */
  shedCount = 0
  readonly #maxBytes: number
  /** Those who have noted something, in the order in which they began to hold bytes. */
  readonly #members = new Set<BudgetMember>()
  #totalBytes = 0
  #isRelieving = false

  /** @param maxBytes - The ceiling; `false` for none. */
  constructor(maxBytes: number | false) {
    this.#maxBytes = maxBytes === false ? Number.POSITIVE_INFINITY : maxBytes
  }

  /** What all of them hold, counted now. O(those who hold anything). */
  get bufferedBytes(): number {
    this.#count()
    return this.#totalBytes
  }

  /** A member holds so many bytes. */
  note(member: BudgetMember, bytes: number): void {
    if (bytes === member.notedBytes) return
    this.#totalBytes += bytes - member.notedBytes
    member.notedBytes = bytes
    if (bytes > 0) this.#members.add(member)
    else this.#members.delete(member)
    if (this.#totalBytes > this.#maxBytes && !this.#isRelieving) this.#relieve()
  }

  #count(): void {
    const isRelieving = this.#isRelieving
    this.#isRelieving = true
    for (const member of this.#members) this.note(member, member.waitingBytes)
    this.#isRelieving = isRelieving
  }

  /** Gives up those who hold the most, and of those who hold as much, whoever has held it for longest. */
  #relieve(): void {
    this.#count()
    if (this.#totalBytes <= this.#maxBytes) return
    this.#isRelieving = true
    const slowest = [...this.#members].sort((a, b) => b.notedBytes - a.notedBytes)
    for (const member of slowest) {
      if (this.#totalBytes <= this.#maxBytes * RELIEVED_SHARE) break
      if (member.shed()) this.shedCount += 1
    }
    this.#isRelieving = false
  }
}
