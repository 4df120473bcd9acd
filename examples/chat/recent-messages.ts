/**
 * The last messages of one room, by sender and id: for those who come in late, and to know a message that was sent
 * twice. It decides nothing about either.
 */

import { LIMITS, type Said, type Whispered } from "./protocol.js"

/** How many messages are known again when they come twice. */
const MAX_KNOWN = 200

/** A bounded memory, oldest first. */
export class RecentMessages {
  readonly #messages = new Map<string, Said | Whispered>()

  /** The message that this sender has already sent under this id. */
  find(senderId: string, id: string): Said | Whispered | undefined {
    return this.#messages.get(keyOf(senderId, id))
  }

  /** What newcomers are shown. Never a whisper. */
  get said(): readonly Said[] {
    const said = [...this.#messages.values()].filter((it) => it.type === "said")
    return said.slice(-LIMITS.recentMessages)
  }

  add(message: Said | Whispered): void {
    this.#messages.set(keyOf(message.from.id, message.id), message)
    const [oldest] = this.#messages.keys()
    if (this.#messages.size > MAX_KNOWN && oldest !== undefined) this.#messages.delete(oldest)
  }
}

function keyOf(senderId: string, id: string): string {
  return `${senderId} ${id}`
}
