/**
 * A message that is not accepted, as an error that knows its own reply. It does not know who sent the message.
 */

import type { Refusal, RefusalCode } from "./protocol.js"

/** Thrown by whoever refuses, turned into a reply by whoever holds the connection. */
export class Refused extends Error {
  override readonly name = "Refused"
  readonly code: RefusalCode
  readonly id: string | undefined

  constructor(code: RefusalCode, message: string, id?: string) {
    super(message)
    this.code = code
    this.id = id
  }

  /** What the sender is told. */
  get reply(): Refusal {
    return { type: "error", code: this.code, message: this.message, id: this.id }
  }
}
