/**
 * Hubs on an HTTP server, as a program would set them up: heartbeat, limits and counters are on, origins are checked,
 * and everybody is asked who they are.
 */

import { createServer } from "node:http"
import { createHub, type HubConnection, json, text } from "holdfast"
import { attach } from "holdfast/server"
import type { Who } from "../load/dialect.js"
import { ALL, listen, roomsFor, serve, whoIs } from "./serve.js"

const PATHS = ["/all", "/rooms", "/echo", "/idle", "/admitted", "/collector"]
/** Each is looked at, and none is reached: one address has all connections here. */
const LIMITS = { connections: 20_000, perAddress: 20_000, upgradesPerSecond: 100_000 }

await serve(async ({ isCompressed }) => {
  const http = createServer()
  const authenticate = ({ url = "" }: { url?: string | undefined }) => ({ data: whoIs(url) })
  const texts = createHub<string, string, Who>({ codec: text(), compression: isCompressed && "shared" })
  const notes = createHub<unknown, unknown, Who>({ codec: json() })
  attach(http, texts, { path: PATHS, authenticate, limits: LIMITS })
  attach(http, notes, { path: "/echo-json", authenticate, limits: LIMITS })

  const publish = (room: string, message: string) => void texts.to(room).send(message)
  const echo = <Message>(connection: HubConnection<Message, Message, Who>) =>
    connection.on("message", ({ data }) => connection.send(data))
  texts.on("connection", ({ connection }) => {
    const { role } = connection.data
    for (const room of roomsFor(connection.data)) void connection.join(room)
    if (role === "all") connection.on("message", ({ data }) => publish(ALL, data))
    if (role === "echo") echo(connection)
  })
  notes.on("connection", ({ connection }) => void echo(connection))

  return { port: await listen(http), publish, connections: () => texts.size + notes.size }
})
