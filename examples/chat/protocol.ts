/**
 * What the chat's server and its clients say to each other: plain JSON in text frames, types only.
 * It knows neither sockets nor rules; `rules.ts` has those.
 */

/** How long things may be. Characters are Unicode code points. */
export const LIMITS = Object.freeze({
  nameChars: 32,
  roomChars: 32,
  textChars: 2_000,
  idChars: 64,
  payloadBytes: 32_768,
  recentMessages: 50,
})

/** Close codes of the chat's own, in the private range. A client that gets one does not come back by itself. */
export const CHAT_CLOSE = Object.freeze({
  /** The room in the path is no room name; the reason says why. */
  badRoom: 4400,
  /** The same person joined from a newer connection. */
  takenOver: 4409,
})

/** Somebody in a room. Whoever rejoins with the same room, name and token has the same id again. */
export interface Member {
  readonly id: string
  readonly name: string
}

/** Takes a place in the room of the path. The token is a secret of the client's making, and optional. */
export interface Join {
  readonly type: "join"
  readonly name: string
  readonly token?: string | undefined
}

/** To everybody in the room. The id is the sender's choice, new for every message. */
export interface Say {
  readonly type: "say"
  readonly id: string
  readonly text: string
}

/** To one member alone; `to` is the member's id. */
export interface Whisper {
  readonly type: "whisper"
  readonly id: string
  readonly to: string
  readonly text: string
}

/** What a client says. */
export type ClientMessage = Join | Say | Whisper

/** The answer to a join: who is here, and what was said lately. */
export interface Welcome {
  readonly type: "welcome"
  readonly you: Member
  readonly room: string
  readonly members: readonly Member[]
  readonly recent: readonly Said[]
}

/** Somebody came in. */
export interface Joined {
  readonly type: "joined"
  readonly member: Member
}

/** Somebody went away. */
export interface Left {
  readonly type: "left"
  readonly member: Member
}

/** Goes to everybody in the room. To the sender it is the proof of delivery. */
export interface Said {
  readonly type: "said"
  readonly id: string
  readonly from: Member
  readonly text: string
  /** In milliseconds since 1970. */
  readonly at: number
}

/** Goes to the two of them alone. To the sender it is the proof of delivery. */
export interface Whispered {
  readonly type: "whispered"
  readonly id: string
  readonly from: Member
  readonly to: Member
  readonly text: string
  /** In milliseconds since 1970. */
  readonly at: number
}

/** Why something was not done. */
export type RefusalCode =
  | "NOT_TEXT"
  | "NOT_JSON"
  | "BAD_SHAPE"
  | "UNKNOWN_TYPE"
  | "BAD_NAME"
  | "BAD_TOKEN"
  | "BAD_ID"
  | "BAD_TEXT"
  | "ALREADY_JOINED"
  | "NAME_TAKEN"
  | "NOT_JOINED"
  | "NO_SUCH_MEMBER"

/** Something was not done. `id` names the message it is about, where it had a usable one. */
export interface Refusal {
  readonly type: "error"
  readonly code: RefusalCode
  readonly message: string
  readonly id?: string | undefined
}

/** What the server says. */
export type ServerMessage = Welcome | Joined | Left | Said | Whispered | Refusal
