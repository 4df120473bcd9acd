/**
 * Messages by hand: `JSON.parse`, or `unpack`, and a `switch`; nothing is checked.
 */

import { unpack } from "msgpackr"
import { z } from "zod"
import { answer, FRAMES, type GameMessage, type Question, SUM, SUM_OF_ANSWERS } from "./frames.js"
import { SCHEMAS } from "./schemas.js"
import { work } from "./work.js"

const union = z.discriminatedUnion("type", Object.values(SCHEMAS) as never)

await work({
  json: () => ({
    frames: FRAMES.json(),
    sum: SUM,
    handle: (frame) => handle(JSON.parse(frame.toString()) as GameMessage),
  }),
  checked: () => ({
    frames: FRAMES.json(),
    sum: SUM,
    handle: (frame) => handle(union.parse(JSON.parse(frame.toString())) as GameMessage),
  }),
  answered: () => ({
    frames: FRAMES.questions(),
    sum: SUM_OF_ANSWERS,
    handle(frame) {
      const { type, id, a, b } = JSON.parse(frame.toString()) as Question
      if (type !== "add") throw new Error(`unknown: ${type}`)
      return answer(id, a + b).length
    },
  }),
  msgpack: () => ({
    frames: FRAMES.msgpack(),
    sum: SUM,
    handle: (frame) => handle(unpack(frame) as GameMessage),
  }),
})

function handle(message: GameMessage): number {
  switch (message.type) {
    case "join":
      return message.room.length
    case "say":
      return message.text.length
    case "move":
      return message.x + message.y
    case "leave":
      return message.room.length
    default:
      throw new Error("unknown")
  }
}
