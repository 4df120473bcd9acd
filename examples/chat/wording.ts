/**
 * The state of a connection in words, the same in the page and in the terminal. It knows no screen.
 */

import type { ClientEnd } from "holdfast"
import type { ChatClient } from "./chat-client.js"
import { CHAT_CLOSE } from "./protocol.js"

/** Where the connection stands. Does not change from second to second, so that it can be read out. */
export function stateInWords({ line, isJoined, you }: ChatClient): string {
  const wasHere = you !== undefined
  switch (line.state) {
    case "open":
      return isJoined ? "Connected" : "Joining the room"
    case "idle":
    case "connecting":
      return wasHere ? "Connecting again" : "Connecting"
    case "waiting":
      return wasHere ? "Connection lost" : "The server does not answer"
    case "paused":
      return "Paused"
    default:
      return "Not connected"
  }
}

/** How long until the next try, in whole seconds; never 0, for then it has begun. */
export function secondsLeft(retryAt: number | undefined): number {
  return Math.max(1, Math.ceil(((retryAt ?? 0) - Date.now()) / 1_000))
}

/** Why it is over. */
export function endInWords({ cause, error, lastClose }: ClientEnd): string {
  if (cause === "closed") return "You left the room."
  if (lastClose?.code === CHAT_CLOSE.takenOver) return "You joined again from another window."
  if (error instanceof Error) return sentence(error.message)
  if (lastClose?.reason) return sentence(lastClose.reason)
  return `The server closed the connection with ${lastClose?.code ?? cause}.`
}

/** How many there are of something, in words. */
export function countOf(count: number, one: string, many: string): string {
  return count === 1 ? `1 ${one}` : `${count} ${many}`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
