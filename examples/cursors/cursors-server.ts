/**
 * Boards with people on them. Who is there, and where they point, is presence: many moves of many people become one message
 * to everybody, twenty times a second at most.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createHub, createPresence, createRouter, type HubConnection } from "holdfast"
import { attach } from "holdfast/server"
import { z } from "zod"
import { servePage } from "../pages/serve-page.js"
import { type FromClient, type FromServer, type Look, NAME_CHARS } from "./protocol.js"

type Person = HubConnection<FromClient, FromServer, Look>

const Move = z.object({ x: z.number().min(0).max(1), y: z.number().min(0).max(1) })
const Name = z.object({ name: z.string().trim().min(1).max(NAME_CHARS) })

/** Running boards. */
export interface Cursors extends AsyncDisposable {
  readonly url: string
}

/** Starts on a port of this machine. */
export async function startCursors(port = 0): Promise<Cursors> {
  // whoever falls behind misses changes, sees it by their version, and asks for everybody anew
  const hub = createHub<FromClient, FromServer, Look>({ overflow: "drop-oldest" })
  const presence = createPresence(hub, {
    key: (person: Person) => person.id,
    meta: (person: Person): Look => person.data,
    batchMs: 50,
  })
  presence.on("change", (change) => hub.to(change.room).local.send({ type: "presence", ...change }))

  const look = (person: Person, change: Partial<Look>) => {
    person.data = { ...person.data, ...change }
    for (const room of person.rooms) presence.update(person, room, person.data)
  }
  let guests = 0
  hub.on("connection", ({ connection }) => {
    guests += 1
    connection.data = { name: `Guest ${guests}`, hue: (guests * 137) % 360 } // far from the one before
    connection.send({ type: "you", key: connection.id })
    void connection.join(connection.params.board ?? "")
  })
  hub.on("join", ({ connection, room }) => connection.send({ type: "present", ...presence.snapshot(room) }))

  createRouter<FromClient, Person>()
    .on("move", Move, ({ message: { x, y }, peer }) => look(peer, { at: { x, y } }))
    .on("name", Name, ({ message: { name }, peer }) => look(peer, { name }))
    .on("sync", ({ peer }) => {
      for (const room of peer.rooms) peer.send({ type: "present", ...presence.snapshot(room) })
    })
    .on("wave", ({ peer }) => {
      for (const room of peer.rooms) hub.to(room).send({ type: "waved", key: peer.id })
    })
    .mount(hub)

  const http = createServer(await servePage(new URL("page/", import.meta.url)))
  attach(http, hub, { path: "/ws/:board", limits: { messagesPerSecond: 100, messageBurst: 300 } })
  await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      presence.close()
      await hub.close()
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
