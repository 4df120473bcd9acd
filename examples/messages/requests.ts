/**
 * `npx tsx examples/messages/requests.ts`: messages that are answered, in both directions, and what happens when they are
 * not.
 */

import {
  createHub,
  createRequests,
  createRouter,
  type HubConnection,
  ReconnectingClient,
  RequestError,
} from "holdfast"
import { serve } from "./serve.js"

type FromClient = { type: "price"; of: string } | { type: "buy"; of: string } | { type: "sleep" }
type FromServer = { type: "confirm"; text: string } | { type: "vote"; on: string }

/** What each side answers. */
interface ServerReplies {
  price: number
  buy: "bought" | "left"
  sleep: never
}
interface ClientReplies {
  confirm: boolean
  vote: "yes" | "no"
}

const PRICES = new Map([["apples", 3]])
const hub = createHub<FromClient, FromServer>()
const ask = createRequests<ClientReplies>({ timeoutMs: 2_000 })

createRouter<FromClient, HubConnection<FromClient, FromServer>, ServerReplies>()
  .answer("price", ({ message }) => {
    const price = PRICES.get(message.of)
    if (price === undefined) throw new RequestError("NOT_FOUND", `there are no ${message.of}`)
    return price
  })
  .answer("buy", async ({ message, peer }) => {
    // a request within a request, the other way
    const isSure = await ask.request(peer, { type: "confirm", text: `buy ${message.of}?` })
    return isSure ? "bought" : "left"
  })
  .answer("sleep", () => new Promise(() => {}))
  .mount(hub)

await using server = await serve(hub)

/** A customer who says yes, or no, to everything. */
async function customer(name: string, says: boolean) {
  const client = new ReconnectingClient<FromServer, FromClient>(server.url)
  createRouter<FromServer, typeof client, ClientReplies>()
    .answer("confirm", ({ message }) => {
      console.log(`${name} is asked: ${message.text}`)
      return says
    })
    .answer("vote", () => (says ? "yes" : "no"))
    .mount(client)
  await client.opened
  return client
}

await using ada = await customer("Ada", true)
await using bob = await customer("Bob", false)
const requests = createRequests<ServerReplies>({ timeoutMs: 2_000 })
const failure = ({ code, reason, message }: RequestError) => `${reason ?? code}: ${message}`

console.log("price:", await requests.request(ada, { type: "price", of: "apples" }))
console.log("Ada:", await requests.request(ada, { type: "buy", of: "apples" }))
console.log("Bob:", await requests.request(bob, { type: "buy", of: "apples" }))
console.log(await requests.request(ada, { type: "price", of: "pears" }).catch(failure))
console.log(await requests.request(ada, { type: "sleep" }, { timeoutMs: 50 }).catch(failure))

const { replies, missing } = await ask.requestAll(
  hub.everybody,
  { type: "vote", on: "lunch" },
  { timeoutMs: 2_000 },
)
console.log("votes:", replies.map(({ reply }) => reply).join(", "), "missing:", missing.length)
