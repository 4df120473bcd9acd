/**
 * Hubs on an HTTP server, as a program would set them up: heartbeat, limits and counters are on, origins are checked,
 * and everybody is asked who they are.
 */

import { createServer } from "node:http"
import { createHub, type Hub, type HubConnection, type HubOptions, hasErrorCode, json, text } from "holdfast"
import { attach } from "holdfast/server"
import type { Who } from "../load/dialect.js"
import { CannotDo } from "../orders.js"
import { ALL, listen, roomsFor, serve, whoIs } from "./serve.js"

await serve(async ({ isCompressed }) => {
  const http = createServer()
  const authenticate = ({ url = "" }: { url?: string | undefined }) => ({ data: whoIs(url) })
  const texts = textHub(isCompressed)
  const notes = createHub<unknown, unknown, Who>({ codec: json() })
  attach(http, texts, { path: ["/all", "/rooms", "/echo", "/idle", "/admitted", "/collector"], authenticate })
  attach(http, notes, { path: "/echo-json", authenticate })

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

function textHub(isCompressed: boolean): Hub<string, string, Who> {
  try {
    return createHub({ codec: text(), ...(isCompressed && { compression: "shared" }) } as HubOptions<
      string,
      string
    >)
  } catch (error) {
    if (isCompressed && hasErrorCode(error, "INVALID_OPTION")) throw new CannotDo("it does not compress")
    throw error
  }
}
