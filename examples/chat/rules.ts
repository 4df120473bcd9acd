/**
 * What a name, a room and a text may be, in words that can be shown to a person. The page checks its form with the
 * same rules that the server holds everybody to; neither sockets nor messages are known here.
 */

import { LIMITS } from "./protocol.js"

/** Controls, direction overrides and other invisible characters; the two joiners are part of ordinary spelling. */
const HIDDEN_IN_NAMES = /(?!\u200c|\u200d)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u
/** Text may have lines and tabs, and marks that right-to-left writing needs, but nothing that reorders what follows. */
const HIDDEN_IN_TEXT = /(?!\n|\t)[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\s]/gu

/** A name or a room as it is kept: composed, and without needless spaces. */
export function tidy(value: string): string {
  return value.normalize("NFC").replaceAll(/ +/g, " ").trim()
}

/** What two names have in common when a reader would take them for the same. */
export function nameKey(name: string): string {
  return name.normalize("NFKC").replaceAll(INVISIBLE, "").toLowerCase()
}

/** Why this is no name, or `undefined` when it is one. */
export function nameProblem(name: string): string | undefined {
  return labelProblem("the name", tidy(name), LIMITS.nameChars)
}

/** Why this is no room, or `undefined` when it is one. */
export function roomProblem(room: string): string | undefined {
  return labelProblem("the room", tidy(room), LIMITS.roomChars)
}

/** Why this is no text, or `undefined` when it is one. */
export function textProblem(text: string): string | undefined {
  return problem("the text", text, LIMITS.textChars, HIDDEN_IN_TEXT)
}

function labelProblem(what: string, value: string, maxChars: number): string | undefined {
  return problem(what, value, maxChars, HIDDEN_IN_NAMES)
}

function problem(what: string, value: string, maxChars: number, hidden: RegExp): string | undefined {
  if (value.replaceAll(INVISIBLE, "") === "") return `${what} is empty`
  const chars = [...value].length
  if (chars > maxChars) return `${what} has ${chars} characters, and ${maxChars} are allowed`
  if (hidden.test(value)) return `${what} holds control characters or direction overrides`
  return undefined
}
