/**
 * The chat as lines of text: understands what is typed, and prints what happens. Where lines come from and go to is
 * the caller's business.
 */

import type { ClientEnd, StateChange } from "holdfast"
import { ChatClient, type Outgoing, randomHex } from "./chat-client.js"
import type { Member, Said, Whispered } from "./protocol.js"
import { nameKey, textProblem } from "./rules.js"
import { countOf, endInWords, secondsLeft, stateInWords } from "./wording.js"

const HELP = "/to <name> <text> for one person alone, /members, /quit; anything else goes to everybody"

/** Controls that would move the cursor; the server lets none through, but this may be another server. */
const CONTROLS = /\p{Cc}/gu
/** How long the end of a piped input waits for its messages to be delivered, in milliseconds. */
const DELIVERY_MS = 10_000

export interface TerminalChatOptions {
  readonly url: string
  readonly room: string
  readonly name: string
}

export class TerminalChat {
  /** Resolves when it is over, with whether that was wanted. */
  readonly ended: Promise<boolean>
  readonly #client: ChatClient
  readonly #room: string
  readonly #print: (line: string) => void
  readonly #heard = new Set<string>()
  #words = ""

  constructor(options: TerminalChatOptions, print: (line: string) => void) {
    this.#room = options.room
    this.#print = print
    this.#client = new ChatClient({ ...options, token: randomHex(16) })
    this.#client.on("welcome", ({ you, members }) => this.#welcomed(you, members))
    this.#client.on("joined", ({ member }) => this.#note(`${member.name} joined`))
    this.#client.on("left", ({ member }) => this.#note(`${member.name} left`))
    this.#client.on("heard", ({ message }) => this.#hear(message))
    this.#client.on("failed", ({ outgoing, reason }) => this.#failed(outgoing, reason))
    this.#client.line.on("state", (change) => this.#stateChanged(change))
    this.ended = new Promise((resolve) => {
      this.#client.on("ended", (end) => resolve(this.#finish(end)))
    })
  }

  /** Takes one line as it was typed. */
  typed(line: string): void {
    const text = line.trim()
    const [, command, rest = ""] = /^\/(\w+)\s*(.*)$/s.exec(text) ?? []
    if (text === "") return
    if (command === undefined) this.#say(text)
    else if (command === "to") this.#whisper(rest)
    else if (command === "members") this.#note(`here: ${names(this.#client.members)}`)
    else if (command === "quit") this.quit()
    else this.#note(HELP)
  }

  /** Leaves, whatever is still on its way. */
  quit(): void {
    void this.#client.leave()
  }

  /** Leaves once everything that was typed has been delivered, or could not be for a while. */
  quitWhenDelivered(): void {
    const timer = setTimeout(() => this.quit(), DELIVERY_MS)
    const look = () => {
      if (this.#client.unconfirmed.length > 0) return
      clearTimeout(timer)
      this.quit()
    }
    this.#client.on("changed", look)
    look()
  }

  #say(text: string, to?: Member): void {
    const problem = textProblem(text)
    if (!problem) this.#client.say(text, to)
    const { queued } = this.#client.line
    if (problem) this.#note(problem)
    else if (queued > 0) this.#note(`${countOf(queued, "message waits", "messages wait")} for the connection`)
  }

  /** Names may have spaces in them, so the longest name that fits is meant. */
  #whisper(rest: string): void {
    const fits = this.#client.members
      .filter(({ name }) => nameKey(rest).startsWith(nameKey(name)) && startsWithName(rest, name))
      .sort((a, b) => b.name.length - a.name.length)
    const [to] = fits
    const text = rest.slice(to?.name.length).trim()
    if (!to) this.#note(`nobody of that name is here: ${names(this.#client.members)}`)
    else if (text === "") this.#note("/to <name> <text>")
    else this.#say(text, to)
  }

  #welcomed(you: Member, members: readonly Member[]): void {
    const others = members.filter((it) => it.id !== you.id)
    const company = others.length === 0 ? "nobody else is here" : `here: ${names(others)}`
    this.#note(`you are ${you.name} in ${this.#room}; ${company}`)
  }

  #hear(message: Said | Whispered): void {
    const key = `${message.from.id} ${message.id}`
    if (this.#heard.has(key)) return
    this.#heard.add(key)
    const whom = message.type === "whispered" ? ` → ${message.to.name} (private)` : ""
    const text = message.text.split("\n").map(clean).join("\n    ")
    this.#print(`${clean(message.from.name)}${clean(whom)}: ${text}`)
  }

  #failed({ to, request }: Outgoing, reason: string): void {
    this.#note(`not delivered${to ? ` to ${to.name}` : ""}: ${reason} (${request.text.slice(0, 40)})`)
  }

  #stateChanged({ to, retryAt }: StateChange): void {
    const words = stateInWords(this.#client)
    if (to === "waiting") this.#note(`${words}, next try in ${secondsLeft(retryAt)} s`)
    else if (words !== this.#words && to !== "closing" && to !== "closed") this.#note(words)
    this.#words = words
  }

  #finish(end: ClientEnd): boolean {
    this.#note(endInWords(end))
    const lost = this.#client.unconfirmed.length
    if (lost > 0) this.#note(`${countOf(lost, "message was", "messages were")} not delivered`)
    return end.cause === "closed"
  }

  #note(text: string): void {
    this.#print(`* ${clean(text)}`)
  }
}

function startsWithName(rest: string, name: string): boolean {
  const next = rest.charAt(name.length)
  return nameKey(rest.slice(0, name.length)) === nameKey(name) && (next === "" || /\s/.test(next))
}

function names(members: readonly Member[]): string {
  return members.map(({ name }) => name).join(", ") || "nobody"
}

function clean(text: string): string {
  return text.replaceAll(CONTROLS, "\ufffd")
}
