/**
 * One person's side of the chat, in a page or a terminal: joins again after every reconnect, knows who is here, and
 * knows of each message of its own how far it has come. It shows nothing; whoever does listens to its events.
 */

import {
  type BackoffOptions,
  type ClientEnd,
  Emitter,
  type OpenContext,
  ReconnectingClient,
  StopReconnecting,
} from "holdfast"
import type {
  ClientMessage,
  Member,
  Refusal,
  Said,
  Say,
  ServerMessage,
  Welcome,
  Whisper,
  Whispered,
} from "./protocol.js"

export interface ChatClientOptions {
  /** Address of the server, without the room: `ws://localhost:8080`. */
  readonly url: string
  readonly room: string
  readonly name: string
  /** Proves to the server that it is the same person who comes back. */
  readonly token: string
  /** How long to wait between attempts. @defaultValue 1 s growing to 10 s, half of it by chance */
  readonly backoff?: BackoffOptions | undefined
}

/** A message of this person that the server has not confirmed yet. */
export interface Outgoing {
  readonly request: Say | Whisper
  /** Whom it is for, when it is for one alone. */
  readonly to: Member | undefined
  /** When it was written, in milliseconds since 1970. */
  readonly at: number
}

export interface ChatEvents {
  /** Something that can be seen may be different now. */
  changed: object
  /** The place in the room is taken, for the first time or again. */
  welcome: Welcome
  joined: { readonly member: Member }
  left: { readonly member: Member }
  /** Somebody said something, perhaps this person; after a reconnect some of it may have been heard before. */
  heard: { readonly message: Said | Whispered }
  /** A message of this person will not be delivered. */
  failed: { readonly outgoing: Outgoing; readonly reason: string }
  /** A ping was answered after so many milliseconds. */
  pong: { readonly rttMs: number }
  /** It is over. */
  ended: ClientEnd
}

/** Shorter than the library's own, so that something can be seen. */
const HEARTBEAT = { intervalMs: 2_000, timeoutMs: 4_000 }
const BACKOFF: BackoffOptions = { initialMs: 1_000, factor: 1.6, maxMs: 10_000, jitter: "equal" }

export class ChatClient extends Emitter<ChatEvents> {
  /** The connection. Its state is the truth about being connected. */
  readonly line: ReconnectingClient<ServerMessage, ClientMessage>
  /** Who this person is in the room, once known. */
  you: Member | undefined
  /** Who was in the room when it was last heard from. */
  members: readonly Member[] = []
  /** Whether the place in the room is taken on the present connection. */
  isJoined = false
  readonly #join: ClientMessage
  readonly #idPrefix = randomHex(4)
  #count = 0
  #unconfirmed: readonly Outgoing[] = []
  #joining: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined

  constructor({ url, room, name, token, backoff = BACKOFF }: ChatClientOptions) {
    super()
    this.#join = { type: "join", name, token }
    this.line = new ReconnectingClient<ServerMessage, ClientMessage>(
      `${url}/ws/${encodeURIComponent(room)}`,
      {
        backoff,
        heartbeat: HEARTBEAT,
        stableAfterMs: 2_000,
        onOpen: (context) => this.#rejoin(context),
      },
    )
    this.line.on("state", ({ to }) => this.#stateChanged(to === "open"))
    this.line.on("message", ({ data }) => this.#received(data))
    this.line.on("dropped", ({ message }) => this.#fail(message, "too many messages wait already"))
    this.line.on("pong", (pong) => void this.emit("pong", pong))
    this.line.on("end", (end) => void this.emit("ended", end))
  }

  /** What the server has not confirmed, oldest first. */
  get unconfirmed(): readonly Outgoing[] {
    return this.#unconfirmed
  }

  /** Whether a message still waits here, rather than being on its way. What waits is the end of the unconfirmed. */
  isWaiting(outgoing: Outgoing): boolean {
    return this.#unconfirmed.indexOf(outgoing) >= this.#unconfirmed.length - this.line.queued
  }

  /** Says something to everybody, or to one member alone: now, or once there is a connection. */
  say(text: string, to?: Member): void {
    this.#count += 1
    const id = `${this.#idPrefix}-${this.#count}`
    const request: Say | Whisper = to ? { type: "whisper", id, to: to.id, text } : { type: "say", id, text }
    this.#unconfirmed = [...this.#unconfirmed, { request, to, at: Date.now() }]
    this.line.send(request)
    this.#changed()
  }

  /** Leaves for good. */
  async leave(): Promise<void> {
    await this.line.close()
  }

  /**
   * Runs on every new connection before anything that waits is sent. What had left on the connection before, and was
   * not confirmed, is sent again: the server knows the ids, so nothing is said twice.
   */
  async #rejoin({ sendNow }: OpenContext<ClientMessage>): Promise<void> {
    const welcomed = new Promise<void>((resolve, reject) => {
      this.#joining = { resolve, reject }
    })
    sendNow(this.#join)
    await welcomed
    const onTheirWay = this.#unconfirmed.filter((it) => !this.isWaiting(it))
    for (const { request } of onTheirWay) sendNow(request)
    // what waits leaves right after this function has returned
    setTimeout(() => this.#changed())
  }

  #stateChanged(isOpen: boolean): void {
    this.isJoined = false
    if (!isOpen) this.#joining?.reject(new Error("the connection ended"))
    this.#changed()
  }

  #received(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        this.#welcomed(message)
        break
      case "joined":
        this.members = [...this.members.filter((it) => it.id !== message.member.id), message.member]
        this.emit("joined", message)
        break
      case "left":
        this.members = this.members.filter((it) => it.id !== message.member.id)
        this.emit("left", message)
        break
      case "said":
      case "whispered":
        this.#heard(message)
        break
      case "error":
        this.#refused(message)
    }
    this.#changed()
  }

  #welcomed(welcome: Welcome): void {
    this.you = welcome.you
    this.members = welcome.members
    this.isJoined = true
    this.emit("welcome", welcome)
    for (const message of welcome.recent) this.#heard(message)
    this.#joining?.resolve()
  }

  #heard(message: Said | Whispered): void {
    if (message.from.id === this.you?.id) this.#settle(message.id)
    this.emit("heard", { message })
  }

  #refused({ id, message }: Refusal): void {
    if (id !== undefined) this.#fail({ id }, message)
    else if (!this.isJoined) this.#joining?.reject(new StopReconnecting(message))
  }

  #fail(request: { readonly id?: string } | ClientMessage, reason: string): void {
    const outgoing = "id" in request && request.id !== undefined ? this.#settle(request.id) : undefined
    if (outgoing) this.emit("failed", { outgoing, reason })
  }

  #settle(id: string): Outgoing | undefined {
    const settled = this.#unconfirmed.find(({ request }) => request.id === id)
    this.#unconfirmed = this.#unconfirmed.filter((it) => it !== settled)
    return settled
  }

  #changed(): void {
    this.emit("changed", {})
  }
}

/** Random bytes as hexadecimal digits. */
export function randomHex(bytes: number): string {
  const random = crypto.getRandomValues(new Uint8Array(bytes))
  return Array.from(random, (it) => it.toString(16).padStart(2, "0")).join("")
}
