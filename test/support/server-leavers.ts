/**
 * Clients that leave: each goes some way towards a WebSocket, and is gone in the middle of it.
 */

import { setImmediate as turn } from "node:timers/promises"
import { FATES, HELD } from "./server-fates.js"
import { type Address, RawClient, textFrame, upgradeRequest } from "./server-raw.js"

/** The points at which a client can leave. */
export const POINTS = [
  "in the middle of its request",
  "right behind its request",
  "while authenticate decides",
  "in the middle of a refusal",
  "in the middle of a closing handshake",
  "right after it was let in",
  "in the middle of a message",
] as const

/** Goes as far as that point, and leaves: with a reset, or now and then in peace. */
export async function leave(
  address: Address,
  point: (typeof POINTS)[number],
  random: () => number,
): Promise<void> {
  const raw = await RawClient.open(address)
  await goTo(raw, point, random)
  for (let turns = Math.floor(random() * 4); turns > 0; turns -= 1) await turn()
  if (random() < 0.8) raw.socket.resetAndDestroy()
  else raw.socket.destroy()
  await raw.ended()
}

async function goTo(raw: RawClient, point: (typeof POINTS)[number], random: () => number): Promise<void> {
  const ask = (fate: string) => raw.socket.write(upgradeRequest({ target: `/${fate}` }))
  switch (point) {
    case "in the middle of its request": {
      const request = upgradeRequest({ target: "/accepted" })
      raw.socket.write(request.slice(0, Math.floor(random() * request.length)))
      return
    }
    case "right behind its request":
      ask(FATES[Math.floor(random() * FATES.length)] as string)
      return
    case "while authenticate decides":
      ask("held")
      return raw.until(() => raw.received === HELD, "the word that authenticate is asked")
    case "in the middle of a refusal":
      ask("refused")
      return raw.until(() => raw.received.startsWith("HTTP/1.1 401 "), "the refusal")
    case "in the middle of a closing handshake":
      ask("closed")
      return raw.until(() => raw.received.startsWith("HTTP/1.1 101 "), "the handshake")
    default: {
      ask("accepted")
      await raw.until(() => raw.received.startsWith("HTTP/1.1 101 "), "the handshake")
      const frame = textFrame("one message")
      if (point === "in the middle of a message")
        raw.socket.write(frame.subarray(0, Math.ceil(random() * frame.length)))
    }
  }
}
