/**
 * What this tab remembers across a reload: the room, the name, and the token that proves it is the same person.
 */

import { randomHex } from "../chat-client.js"

/** Where nothing can be stored, nothing is remembered, and all else works. */
export function remember(key: "room" | "name" | "token", value: string): void {
  try {
    sessionStorage.setItem(key, value)
  } catch {}
}

export function recall(key: "room" | "name" | "token"): string | undefined {
  try {
    return sessionStorage.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

/** The token of this tab. */
export function tabToken(): string {
  const token = recall("token") ?? randomHex(16)
  remember("token", token)
  return token
}
