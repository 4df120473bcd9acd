/**
 * All rooms of the chat on one hub: hands each message to the room of its sender, and answers what is refused.
 * How connections come in is not its business.
 */

import { CodecError, createHub } from "holdfast"
import { chatCodec } from "./chat-codec.js"
import { type ChatConnection, type ChatHub, ChatRoom, type Place, type Seat } from "./chat-room.js"
import type { Log } from "./log.js"
import type { ClientMessage, ServerMessage } from "./protocol.js"
import { Refused } from "./refused.js"

/** How long a closing handshake may take, in milliseconds: the server stops within a second. */
const CLOSE_TIMEOUT_MS = 500

export class Chat {
  readonly hub: ChatHub
  readonly #rooms = new Map<string, ChatRoom>()
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
    this.hub = createHub<ClientMessage, ServerMessage, Place>({
      codec: chatCodec(),
      closeTimeoutMs: CLOSE_TIMEOUT_MS,
      onDecodeError: ({ cause }) => (cause instanceof Refused ? cause.reply : undefined),
    })
    this.hub.on("message", ({ connection, data }) => this.#received(connection, data))
    this.hub.on("close", ({ connection, code }) => this.#closed(connection, code))
    this.hub.on("error", ({ error, stage, connection }) => this.#failed(error, stage, connection))
  }

  /** How many rooms have somebody in them. */
  get roomCount(): number {
    return this.#rooms.size
  }

  /** The connection of a member, whatever the room. */
  connectionOf(memberId: string): ChatConnection | undefined {
    for (const room of this.#rooms.values()) {
      const connection = room.connectionOf(memberId)
      if (connection) return connection
    }
    return undefined
  }

  #received(connection: ChatConnection, message: ClientMessage): void {
    try {
      if (message.type === "join") this.#join(connection, message)
      else this.#speak(connection, message)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      connection.send(error.reply)
      this.#refused(error, connection)
    }
  }

  #join(connection: ChatConnection, message: ClientMessage & { type: "join" }): void {
    const { room: name, seat: taken } = connection.data
    if (taken) throw new Refused("ALREADY_JOINED", `this connection joined as ${taken.member.name} already`)
    const room = this.#rooms.get(name) ?? new ChatRoom(name, this.hub)
    const { member } = room.join(connection, message)
    this.#rooms.set(name, room)
    this.#log(`${name}: ${member.name} (${member.id}) joined, ${room.size} here`)
  }

  #speak(connection: ChatConnection, message: Exclude<ClientMessage, { type: "join" }>): void {
    const { seat, room: name } = connection.data
    const room = this.#rooms.get(name)
    if (!seat || !room) throw new Refused("NOT_JOINED", "join first", message.id)
    const isNew = message.type === "say" ? room.say(seat, message) : room.whisper(seat, message)
    const verb = isNew ? (message.type === "say" ? "said" : "whispered") : "repeated"
    this.#log(`${name}: ${seat.member.id} ${verb} ${message.id}`)
  }

  #closed(connection: ChatConnection, code: number): void {
    const { seat, room } = connection.data
    if (seat) this.#leave(room, seat, code)
  }

  #leave(name: string, seat: Seat, code: number): void {
    const room = this.#rooms.get(name)
    if (!room) return
    room.leave(seat)
    if (room.size === 0) this.#rooms.delete(name)
    this.#log(`${name}: ${seat.member.name} (${seat.member.id}) left with ${code}, ${room.size} here`)
  }

  #failed(error: unknown, stage: string, connection: ChatConnection | undefined): void {
    const cause = error instanceof CodecError ? error.cause : error
    if (cause instanceof Refused) this.#refused(cause, connection)
    else
      this.#log(`${nameOf(connection)}: ${stage} failed: ${cause instanceof Error ? cause.message : cause}`)
  }

  #refused({ code }: Refused, connection: ChatConnection | undefined): void {
    this.#log(`${nameOf(connection)}: refused with ${code}`)
  }
}

function nameOf(connection: ChatConnection | undefined): string {
  if (!connection) return "the hub"
  const { room, seat } = connection.data
  return `${room}: ${seat?.member.id ?? connection.remoteAddress ?? "somebody"}`
}
