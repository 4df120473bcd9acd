/**
 * What clients of a server have to say over WebSocket besides their messages: nothing for most, a handshake and an
 * envelope for socket.io. It knows no sockets.
 */

import type { Format } from "../message.js"

/** Who connects, and what for. Servers read it from the address. */
export interface Who {
  /** What the connection is for. */
  readonly role: Role
  /** Its number, from 0, and how many there are. */
  readonly client: number
  readonly of: number
}

/**
 * What a server does with a connection:
 *
 * - `all`: it gets what is sent to all, and what it sends goes to all.
 * - `rooms`: it is in the rooms of its number.
 * - `echo`, `echo-json`: it gets what it sends; as an object that was parsed and written again, where it is JSON.
 * - `idle`: it is in one room, and nothing is sent.
 * - `admitted`: it is let in, and nothing is sent.
 * - `collector`: it is in very many rooms, and nothing is sent.
 */
export type Role = "all" | "rooms" | "echo" | "echo-json" | "idle" | "admitted" | "collector"

/** What a message of a server that is none of the application's asks for. */
export type Protocol = { readonly reply: string } | "opened" | undefined

/** How a server is spoken to. */
export interface Dialect {
  /** The target of the upgrade request. */
  target(who: Who): string
  /** A message in its envelope. */
  wrap(message: string): string
  /** How many bytes the envelope has before and after a message. */
  readonly before: number
  readonly after: number
  /** The byte between messages that share a frame, where they may. */
  readonly separator?: number
  /** Whether it takes more than the upgrade until messages may flow. */
  readonly hasHandshake: boolean
  /** What a message that is none of the application's asks for; `"message"` for one that is. */
  read(bytes: Buffer, start: number): Protocol | "message"
}

/** Messages as they are. */
const plain: Dialect = {
  target: ({ role, client, of }) => `/${role}?client=${client}&of=${of}`,
  wrap: (message) => message,
  before: 0,
  after: 0,
  hasHandshake: false,
  read: () => "message",
}

/** Messages that may share a frame, a line each. */
const lines: Dialect = { ...plain, separator: 0x0a }

const ENGINE_OPEN = 0x30
const ENGINE_PING = 0x32
const SOCKET_CONNECT = 0x30

/** Engine.IO protocol 4 with Socket.IO protocol 5: `42["m",message]`. */
function socketIo(format: Format["name"]): Dialect {
  const [before, after] = format === "json" ? ['42["m",', "]"] : ['42["m","', '"]']
  return {
    target: ({ role, client, of }) =>
      `/socket.io/?EIO=4&transport=websocket&role=${role}&client=${client}&of=${of}`,
    wrap: (message) => `${before}${message}${after}`,
    before: before.length,
    after: after.length,
    hasHandshake: true,
    read(bytes, start) {
      if (bytes[start] === ENGINE_OPEN) return { reply: "40" }
      if (bytes[start] === ENGINE_PING) return { reply: "3" }
      return bytes[start + 1] === SOCKET_CONNECT ? "opened" : "message"
    },
  }
}

/** By name, for messages of a format. */
export const DIALECTS = {
  plain: () => plain,
  lines: () => lines,
  "socket.io": socketIo,
} satisfies Record<string, (format: Format["name"]) => Dialect>
