/**
 * The chat example in this process, and guests in it who are nothing but `ws` sockets that speak JSON.
 * Both are gone when the test ends.
 */

import { onTestFinished } from "vitest"
import { type ChatServer, type ChatServerOptions, startChat } from "../../examples/chat/chat-server.js"
import type { ClientMessage, Member, ServerMessage, Welcome } from "../../examples/chat/protocol.js"
import { connect, type TestClient } from "./ws-server.js"

/** A running chat, and what it has logged. */
export interface Demo {
  readonly chat: ChatServer
  /** Address of a room. */
  roomUrl(room: string): string
  readonly log: readonly string[]
}

/** Starts the chat on a free port. */
export async function startDemo(options: Omit<ChatServerOptions, "port"> = {}): Promise<Demo> {
  const log: string[] = []
  const chat = await startChat({ port: 0, log: (line) => log.push(line), ...options })
  onTestFinished(() => chat.stop())
  return {
    chat,
    log,
    roomUrl: (room) => `ws://127.0.0.1:${chat.port}/ws/${encodeURIComponent(room)}`,
  }
}

/** A connection that has not joined yet. */
export interface Stranger {
  readonly client: TestClient
  send(message: ClientMessage): void
  /** The next message of the server. Rejects after a deadline. */
  next<T extends ServerMessage["type"]>(type: T): Promise<ServerMessage & { type: T }>
}

/** A member. */
export interface Guest extends Stranger {
  readonly you: Member
  readonly welcome: Welcome
}

/** Connects to a room. */
export async function approach(demo: Demo, room: string): Promise<Stranger> {
  const client = await connect(demo.roomUrl(room))
  return {
    client,
    send: (message) => client.send(JSON.stringify(message)),
    async next(type) {
      const message = JSON.parse(String(await client.next())) as ServerMessage
      if (message.type === type) return message as ServerMessage & { type: typeof type }
      throw new Error(`expected ${type}, and this came: ${JSON.stringify(message)}`)
    },
  }
}

/** Connects to a room and joins it. */
export async function enter(demo: Demo, room: string, name: string, token?: string): Promise<Guest> {
  const stranger = await approach(demo, room)
  stranger.send({ type: "join", name, token })
  const welcome = await stranger.next("welcome")
  return { ...stranger, welcome, you: welcome.you }
}
