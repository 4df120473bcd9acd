/**
 * `ReconnectingClient` as it comes: queue, heartbeat and reconnection are on.
 */

import { json, ReconnectingClient, text } from "holdfast"
import type { Note } from "../message.js"
import { work } from "./work.js"

await work(async (url, format, hear) => {
  if (format === "json") {
    const client = new ReconnectingClient<unknown, Note | string>(url, { codec: json() })
    client.on("message", ({ data }) => hear(data))
    await client.opened
    return { send: (message) => client.send(message), buffered: () => client.bufferedBytes }
  }
  const client = new ReconnectingClient(url, { codec: text() })
  client.on("message", ({ data }) => hear(data))
  await client.opened
  return { send: (message) => client.send(message as string), buffered: () => client.bufferedBytes }
})
