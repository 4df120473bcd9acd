/**
 * One room: who is in it, who may take which name, and who gets which message. It lives as long as it has members,
 * and knows connections only as something to send to.
 */

import { createHash, randomBytes } from "node:crypto"
import type { Hub, HubConnection } from "holdfast"
import {
  CHAT_CLOSE,
  type ClientMessage,
  type Join,
  type Member,
  type Said,
  type Say,
  type ServerMessage,
  type Whisper,
  type Whispered,
} from "./protocol.js"
import { RecentMessages } from "./recent-messages.js"
import { Refused } from "./refused.js"
import { nameKey } from "./rules.js"

/** What the chat keeps with a connection: the room of its path, and its seat once it has joined. */
export interface Place {
  readonly room: string
  seat?: Seat | undefined
}

export type ChatHub = Hub<ClientMessage, ServerMessage, Place>
export type ChatConnection = HubConnection<ClientMessage, ServerMessage, Place>

/** A member, and the connection that speaks for it at the moment. */
export interface Seat {
  readonly member: Member
  readonly token: string | undefined
  connection: ChatConnection
}

export class ChatRoom {
  readonly name: string
  readonly #hub: ChatHub
  readonly #seats = new Map<string, Seat>()
  readonly #recent = new RecentMessages()

  constructor(name: string, hub: ChatHub) {
    this.name = name
    this.#hub = hub
  }

  get size(): number {
    return this.#seats.size
  }

  /** The connection of a member. */
  connectionOf(memberId: string): ChatConnection | undefined {
    return this.#seats.get(memberId)?.connection
  }

  /**
   * Gives a connection its seat: a new one, or the one that the same token holds.
   * @throws Refused `NAME_TAKEN` when somebody else holds the name.
   */
  join(connection: ChatConnection, { name, token }: Join): Seat {
    const key = nameKey(name)
    const held = [...this.#seats.values()].find(({ member }) => nameKey(member.name) === key)
    if (held && (token === undefined || held.token !== token)) {
      throw new Refused("NAME_TAKEN", `somebody in this room is called ${held.member.name} already`)
    }
    const seat = held ?? { member: { id: memberId(this.name, key, token), name }, token, connection }
    if (held) takeOver(held, connection)
    this.#sit(seat)
    if (!held) this.#hub.to(this.name).except(connection).send({ type: "joined", member: seat.member })
    return seat
  }

  /** Frees a seat. */
  leave({ member }: Seat): void {
    this.#seats.delete(member.id)
    this.#hub.to(this.name).send({ type: "left", member })
  }

  /** Says something to everybody. Returns whether it was new: a repeated one is only confirmed to its sender. */
  say({ member, connection }: Seat, { id, text }: Say): boolean {
    if (this.#isRepeated(member, connection, id)) return false
    const said: Said = { type: "said", id, from: member, text, at: Date.now() }
    this.#recent.add(said)
    this.#hub.to(this.name).send(said)
    return true
  }

  /**
   * Says something to one member. Returns whether it was new.
   * @throws Refused `NO_SUCH_MEMBER` when that member has left.
   */
  whisper({ member, connection }: Seat, { id, to, text }: Whisper): boolean {
    if (this.#isRepeated(member, connection, id)) return false
    const other = this.#seats.get(to)
    if (!other) throw new Refused("NO_SUCH_MEMBER", "there is nobody with this id in the room", id)
    const whispered: Whispered = {
      type: "whispered",
      id,
      from: member,
      to: other.member,
      text,
      at: Date.now(),
    }
    this.#recent.add(whispered)
    connection.send(whispered)
    if (other.connection !== connection) other.connection.send(whispered)
    return true
  }

  #isRepeated(member: Member, connection: ChatConnection, id: string): boolean {
    const known = this.#recent.find(member.id, id)
    if (known) connection.send(known)
    return known !== undefined
  }

  #sit(seat: Seat): void {
    const { connection, member } = seat
    this.#seats.set(member.id, seat)
    connection.data.seat = seat
    connection.send({
      type: "welcome",
      you: member,
      room: this.name,
      members: [...this.#seats.values()].map((it) => it.member),
      recent: this.#recent.said,
    })
    void connection.join(this.name)
  }
}

/** The older connection may not have noticed yet that its line is dead; whichever it is, it speaks no more. */
function takeOver(seat: Seat, connection: ChatConnection): void {
  const older = seat.connection
  older.data.seat = undefined
  older.leave(older.data.room)
  void older.close(CHAT_CLOSE.takenOver, "you joined again from another connection")
  seat.connection = connection
}

/** With a token, the same for the same person in every life of the server, and no way back to the token. */
function memberId(room: string, key: string, token: string | undefined): string {
  if (token === undefined) return randomBytes(9).toString("base64url")
  return createHash("sha256")
    .update(JSON.stringify([room, key, token]))
    .digest("base64url")
    .slice(0, 12)
}
