/**
 * What arrives in the rows about formats, as bytes, and what it comes to: whoever handles all of it right ends with the same
 * sum. It knows neither codecs nor sockets.
 */

import { Packr } from "msgpackr"

/** The messages of a small game with a chat. */
export type GameMessage =
  | { readonly type: "join"; readonly room: string }
  | { readonly type: "say"; readonly room: string; readonly text: string }
  | { readonly type: "move"; readonly x: number; readonly y: number }
  | { readonly type: "leave"; readonly room: string }

/** A question that is answered. */
export interface Question {
  readonly type: "add"
  readonly id: number
  readonly a: number
  readonly b: number
}

/** As many messages as there are frames in one run. */
export const RUN = 1_000

const packr = new Packr({ useRecords: false })

/** The messages of one run. */
export const MESSAGES: readonly GameMessage[] = Array.from({ length: RUN }, (_, serial) => message(serial))
/** The questions of one run. */
export const QUESTIONS: readonly Question[] = Array.from({ length: RUN }, (_, id) => ({
  type: "add",
  id,
  a: id * 3,
  b: 1_000_000 - id,
}))

/** Frames by what is in them, made at their first use. */
export const FRAMES = {
  json: () => MESSAGES.map((it) => Buffer.from(JSON.stringify(it))),
  questions: () => QUESTIONS.map((it) => Buffer.from(JSON.stringify(it))),
  msgpack: () => MESSAGES.map((it) => Buffer.from(packr.pack(it))),
}

/** What a run of {@link MESSAGES} comes to. */
export const SUM = MESSAGES.reduce((sum, it) => sum + worth(it), 0)
/** What the answers to a run of {@link QUESTIONS} come to. */
export const SUM_OF_ANSWERS = QUESTIONS.reduce((sum, { id, a, b }) => sum + answer(id, a + b).length, 0)

/** What a message counts for. */
export function worth(message: GameMessage): number {
  if (message.type === "move") return message.x + message.y
  return message.type === "say" ? message.text.length : message.room.length
}

/** The answer to a question, as it goes out. */
export function answer(id: number, sum: number): string {
  return JSON.stringify({ type: "reply", id, data: { sum } })
}

function message(serial: number): GameMessage {
  const room = `room-${serial % 10}`
  if (serial % 4 === 0) return { type: "join", room }
  if (serial % 4 === 1) return { type: "say", room, text: "hello to everybody who happens to listen" }
  if (serial % 4 === 2) return { type: "move", x: serial, y: 1_000 - serial }
  return { type: "leave", room }
}
