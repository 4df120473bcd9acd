/**
 * What a person can do in the page, and what the chat tells it: both end in a change of the model.
 * It touches no element.
 */

import type { BackoffOptions, ClientEnd, StateChange } from "holdfast"
import { ChatClient, type Outgoing } from "../chat-client.js"
import type { Member, Said, Whispered } from "../protocol.js"
import { nameProblem, roomProblem, textProblem, tidy } from "../rules.js"
import { endInWords } from "../wording.js"
import type { MessageLine, PageModel } from "./page-model.js"
import { tabToken } from "./tab-memory.js"

export interface ControllerOptions {
  readonly model: PageModel
  /** How long to wait between attempts, where it is not the usual. */
  readonly backoff: BackoffOptions | undefined
}

export class Controller {
  readonly #model: PageModel
  readonly #backoff: BackoffOptions | undefined

  constructor({ model, backoff }: ControllerOptions) {
    this.#model = model
    this.#backoff = backoff
  }

  join(givenRoom: string, givenName: string): void {
    const [room, name] = [tidy(givenRoom), tidy(givenName)]
    const [badRoom, badName] = [roomProblem(room), nameProblem(name)]
    this.#model.change((model) => {
      Object.assign(model, { room, name, lines: [], trips: [], target: undefined, ending: undefined })
      model.formProblem = badRoom ? { field: "room", text: badRoom } : undefined
      if (badName) model.formProblem ??= { field: "name", text: badName }
      if (!model.formProblem) model.client = this.#connect(room, name)
    })
  }

  leave(): void {
    void this.#model.client?.leave()
    this.#model.change((model) => {
      model.client = undefined
      model.formProblem = undefined
      model.isSideOpen = false
    })
  }

  /** Says something to everybody, or to the private partner. Returns whether it was taken. */
  say(text: string): boolean {
    const problem = textProblem(text)
    this.#model.change((model) => {
      model.textProblem = problem
    })
    if (!problem) this.#model.client?.say(text.trim(), this.#model.target)
    return !problem
  }

  /** The next messages are for this member alone, or for everybody again. */
  talkTo(target: Member | undefined): void {
    this.#model.change((model) => {
      model.target = target
      model.isSideOpen = false
    })
  }

  tryNow(): void {
    this.#model.client?.line.reconnect()
  }

  async cutMyLine(): Promise<void> {
    await this.#break(`/cut?id=${encodeURIComponent(this.#model.client?.you?.id ?? "")}`)
  }

  async restartTheServer(): Promise<void> {
    await this.#break("/restart")
  }

  openSide(isOpen: boolean): void {
    this.#model.change((model) => {
      model.isSideOpen = isOpen
    })
  }

  async #break(path: string): Promise<void> {
    const problem = await fetch(path, { method: "POST" }).then(
      (response) => (response.ok ? undefined : `The server answered ${response.status}.`),
      () => "The server does not answer.",
    )
    this.#model.change((model) => {
      model.breakProblem = problem
      model.isSideOpen &&= problem !== undefined
    })
  }

  #connect(room: string, name: string): ChatClient {
    const url = location.origin.replace(/^http/, "ws")
    const client = new ChatClient({ url, room, name, token: tabToken(), backoff: this.#backoff })
    client.on("changed", () => this.#from(client, () => {}))
    client.on("joined", ({ member }) =>
      this.#from(client, (model) => model.addNotice(`${member.name} joined`)),
    )
    client.on("left", ({ member }) => this.#from(client, (model) => model.addNotice(`${member.name} left`)))
    client.on("heard", ({ message }) =>
      this.#from(client, (model) => model.addMessage(heardLine(client, message))),
    )
    client.on("failed", ({ outgoing, reason }) => {
      this.#from(client, (model) =>
        model.addMessage({ ...outgoingLine(client, name, outgoing), problem: reason }),
      )
    })
    client.on("pong", ({ rttMs }) => this.#from(client, (model) => model.addTrip(rttMs)))
    client.line.on("state", (change) => this.#from(client, (model) => stateChanged(model, change)))
    client.on("ended", (end) => this.#from(client, (model) => ended(model, client, end)))
    return client
  }

  /** A chat that was left may still tell of its end: it is not heard. */
  #from(client: ChatClient, apply: (model: PageModel) => void): void {
    if (this.#model.client === client) this.#model.change(apply)
  }
}

/** A message of this person that is not confirmed yet, as it is shown. */
export function outgoingLine(client: ChatClient, name: string, { request, to, at }: Outgoing): MessageLine {
  const from = client.you ?? { id: "", name }
  return { kind: "message", key: `mine ${request.id}`, from, to, text: request.text, at, isMine: true }
}

function heardLine({ you }: ChatClient, message: Said | Whispered): MessageLine {
  const { from, id, text, at } = message
  const isMine = from.id === you?.id
  const to = message.type === "whispered" ? message.to : undefined
  return { kind: "message", key: isMine ? `mine ${id}` : `${from.id} ${id}`, from, to, text, at, isMine }
}

function stateChanged(model: PageModel, { from, to }: StateChange): void {
  if (from === "open") model.addTrip(undefined)
  if (to === "open") model.breakProblem = undefined
}

/** Whoever was never let in is back at the form; whoever was keeps what is on the screen. */
function ended(model: PageModel, client: ChatClient, end: ClientEnd): void {
  const text = endInWords(end)
  if (client.you) {
    model.ending = text
  } else {
    model.client = undefined
    model.formProblem = { field: end.cause === "stopped" ? "name" : "form", text }
  }
}
