/**
 * `npx tsx examples/messages/typed.ts`: messages told apart by their type, narrowed without a cast, and checked by a schema
 * before anybody relies on them.
 */

import { createHub, createRouter, type HubConnection, ReconnectingClient } from "holdfast"
import { z } from "zod"
import { serve } from "./serve.js"

type FromClient = { type: "join"; room: string } | { type: "say"; text: string }
type FromServer =
  | { type: "joined"; room: string; members: number }
  | { type: "said"; text: string }
  | { type: "error"; code: string; message: string }

const hub = createHub<FromClient, FromServer>()

createRouter<FromClient, HubConnection<FromClient, FromServer>>()
  .on("join", async ({ message, peer }) => {
    await peer.join(message.room) // TypeScript knows that a join has a room
    const members = hub.members(message.room).size
    hub.to(message.room).send({ type: "joined", room: message.room, members })
  })
  .on("say", z.object({ text: z.string().trim().min(1).max(20) }), ({ message, peer }) => {
    for (const room of peer.rooms) hub.to(room).send({ type: "said", text: message.text })
  })
  .mount(hub)

await using server = await serve(hub)
await using client = new ReconnectingClient<FromServer, FromClient>(server.url)

const done = new Promise<void>((resolve) => {
  createRouter<FromServer, typeof client>()
    .on("joined", ({ message }) => console.log(`joined ${message.room}, members: ${message.members}`))
    .on("said", ({ message }) => console.log(`said: ${message.text}`))
    .on("error", ({ message }) => {
      console.log(`refused: ${message.code}`)
      if (message.code === "UNKNOWN_TYPE") resolve()
    })
    .mount(client)
})

client.send({ type: "join", room: "lobby" })
client.send({ type: "say", text: "  hello  " }) // the schema trims it
client.send({ type: "say", text: "much longer than the schema allows" })
client.send({ type: "sing" } as never) // what other programs may send
await done
