/**
 * Bun's own server, with its own topics. It runs in Bun.
 */

import type { Who } from "../load/dialect.js"
import { ALL, roomsFor, serve, whoIs } from "./serve.js"

/** What is used of Bun, whose types are not installed. */
interface BunSocket {
  readonly data: Who
  subscribe(topic: string): void
  send(text: string): number
}

interface BunServer {
  readonly port: number
  readonly pendingWebSockets: number
  upgrade(request: Request, options: { data: Who }): boolean
  publish(topic: string, text: string, isCompressed: boolean): number
}

interface BunOptions {
  readonly port: number
  readonly hostname: string
  fetch(request: Request, server: BunServer): Response | undefined
  readonly websocket: {
    readonly perMessageDeflate: boolean
    open(socket: BunSocket): void
    message(socket: BunSocket, text: string): void
  }
}

declare const Bun: { serve(options: BunOptions): BunServer }

await serve(async ({ isCompressed }) => {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, its) =>
      its.upgrade(request, { data: whoIs(request.url) }) ? undefined : new Response("no", { status: 400 }),
    websocket: {
      perMessageDeflate: isCompressed,
      open(socket) {
        for (const room of roomsFor(socket.data)) socket.subscribe(room)
      },
      message(socket, text) {
        const { role } = socket.data
        if (role === "all") server.publish(ALL, text, false)
        else if (role === "echo") socket.send(text)
        else if (role === "echo-json") socket.send(JSON.stringify(JSON.parse(text)))
      },
    },
  })
  return {
    port: server.port,
    publish: (room, text) => void server.publish(room, text, isCompressed),
    connections: () => server.pendingWebSockets,
  }
})
