/**
 * Frames to checked messages and back: what comes out of `decode` is a `ClientMessage`, or a `Refused` was thrown.
 * It knows the shapes and the rules, not who is in which room.
 */

import { type Codec, json } from "holdfast"
import { type ClientMessage, LIMITS, type ServerMessage } from "./protocol.js"
import { Refused } from "./refused.js"
import { nameProblem, textProblem, tidy } from "./rules.js"

type Fields = Readonly<Record<string, unknown>>

/** The server's codec. */
export function chatCodec(): Codec<ClientMessage, ServerMessage> {
  return {
    ...json<ClientMessage, ServerMessage>(),
    decode(data) {
      if (typeof data !== "string")
        throw new Refused("NOT_TEXT", "messages are text frames; this one was binary")
      return readMessage(parse(data))
    },
  }
}

/**
 * Checks one message, and takes of it only what belongs to it.
 * @throws Refused with the code of the first thing that is wrong.
 */
export function readMessage(value: unknown): ClientMessage {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refused("BAD_SHAPE", 'a message is an object such as {"type":"say","id":"1","text":"hello"}')
  }
  const fields = value as Fields
  switch (fields.type) {
    case "join":
      return { type: "join", name: readName(fields), token: readToken(fields) }
    case "say":
      return { type: "say", id: readId(fields), text: readText(fields) }
    case "whisper":
      return { type: "whisper", id: readId(fields), to: readTo(fields), text: readText(fields) }
    default:
      throw new Refused("UNKNOWN_TYPE", "the type is one of join, say and whisper", usableId(fields))
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Refused("NOT_JSON", "the frame is not JSON")
  }
}

function readName(fields: Fields): string {
  const name = readString(fields, "name")
  const problem = nameProblem(name)
  if (problem) throw new Refused("BAD_NAME", problem)
  return tidy(name)
}

function readText(fields: Fields): string {
  const text = readString(fields, "text")
  const problem = textProblem(text)
  if (problem) throw new Refused("BAD_TEXT", problem, usableId(fields))
  return text
}

function readId(fields: Fields): string {
  const id = usableId(fields)
  if (id === undefined)
    throw new Refused("BAD_ID", `the id is 1 to ${LIMITS.idChars} visible ASCII characters`)
  return id
}

function readTo(fields: Fields): string {
  return readString(fields, "to")
}

function readToken(fields: Fields): string | undefined {
  if (fields.token === undefined) return undefined
  const token = readString(fields, "token")
  if (!/^[\x21-\x7e]{16,128}$/.test(token)) {
    throw new Refused("BAD_TOKEN", "the token is 16 to 128 visible ASCII characters")
  }
  return token
}

function readString(fields: Fields, key: string): string {
  const value = fields[key]
  if (typeof value === "string") return value
  throw new Refused("BAD_SHAPE", `${key} must be a string`, usableId(fields))
}

/** The id, where it is one: an error can say which message it is about even when another part is wrong. */
function usableId({ id }: Fields): string | undefined {
  return typeof id === "string" && /^[\x21-\x7e]+$/.test(id) && id.length <= LIMITS.idChars ? id : undefined
}
