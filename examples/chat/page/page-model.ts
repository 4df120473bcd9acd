/**
 * All that the page shows, in one object. Views read it and are called after every change; it knows none of them.
 */

import type { ChatClient } from "../chat-client.js"
import type { Member } from "../protocol.js"

/** A message in the log that has come as far as it will. */
export interface MessageLine {
  readonly kind: "message"
  readonly key: string
  readonly from: Member
  /** Whom it is for, when it is for one alone. */
  readonly to: Member | undefined
  readonly text: string
  readonly at: number
  readonly isMine: boolean
  /** Why it was not delivered. */
  readonly problem?: string | undefined
}

/** Something that happened in the room. */
interface NoticeLine {
  readonly kind: "notice"
  readonly key: string
  readonly text: string
}

export type LogLine = MessageLine | NoticeLine

/** What is wrong with the form, and where. */
export interface FormProblem {
  readonly field: "room" | "name" | "form"
  readonly text: string
}

/** How many lines and round trips are kept. */
const MAX_LINES = 400
const MAX_TRIPS = 40

export class PageModel {
  /** The chat, from joining to leaving. */
  client: ChatClient | undefined
  /** The room and the name in the form, and of the chat. */
  room = ""
  name = ""
  formProblem: FormProblem | undefined
  /** Whom the next message is for, when it is for one alone. */
  target: Member | undefined
  /** Why the last message was not taken. */
  textProblem: string | undefined
  /** Why a line could not be cut, or the server not be restarted. */
  breakProblem: string | undefined
  /** Why the connection is over, where that was not this person's wish. */
  ending: string | undefined
  /** Whether the side panel of a narrow screen is open. */
  isSideOpen = false
  lines: readonly LogLine[] = []
  /** Round-trip times in milliseconds, oldest first; `undefined` where the line was lost. */
  trips: readonly (number | undefined)[] = []
  #notices = 0
  readonly #views: ((model: PageModel) => void)[] = []

  /** Calls a view now and after every change. */
  addView(view: (model: PageModel) => void): void {
    this.#views.push(view)
    view(this)
  }

  /** Applies a change, and shows it. */
  change(apply: (model: this) => void): void {
    apply(this)
    for (const view of this.#views) view(this)
  }

  /** Adds a message, unless it is there already. */
  addMessage(line: MessageLine): void {
    if (this.lines.some(({ key }) => key === line.key)) return
    this.lines = [...this.lines, line].slice(-MAX_LINES)
  }

  addNotice(text: string): void {
    this.#notices += 1
    this.lines = [...this.lines, { kind: "notice", key: `notice ${this.#notices}`, text } as const].slice(
      -MAX_LINES,
    )
  }

  /** Adds a round trip, or the gap that a lost line leaves. */
  addTrip(rttMs: number | undefined): void {
    if (rttMs === undefined && this.trips.at(-1) === undefined) return
    this.trips = [...this.trips, rttMs].slice(-MAX_TRIPS)
  }

  /** Whether the private partner is in the room, as far as is known. */
  get isTargetHere(): boolean {
    return this.client?.members.some(({ id }) => id === this.target?.id) ?? false
  }
}
