/**
 * `npx tsx examples/limits/main.ts`: who is let in, how many, and how fast they may talk. A page of a stranger, a third connection,
 * and a client that floods are stopped one after the other; nobody else notices.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createHub, createRouter, type HubConnection, ReconnectingClient, RequestError } from "holdfast"
import { attach } from "holdfast/server"
import WebSocket from "ws"

type FromClient = { type: "say"; text: string }
type FromServer = { type: "said"; text: string } | { type: "error"; code: string; message: string }
type Peer = HubConnection<FromClient, FromServer, { said: number }>

/** How many messages one user may say in this example. Of what arrives, not of what is sent: see the flood below. */
const SAYS = 5

const hub = createHub<FromClient, FromServer, { said: number }>()
createRouter<FromClient, Peer>()
  .use(({ peer }, next) => {
    peer.data.said += 1
    if (peer.data.said > SAYS) throw new RequestError("RATE_LIMITED", `no more than ${SAYS} for you`)
    return next()
  })
  .on("say", ({ message, peer }) => peer.send({ type: "said", text: message.text }))
  .mount(hub)

const http = createServer()
const attachment = attach(http, hub, {
  path: "/ws",
  origins: ["https://app.example"], // besides the page that this server itself hands out
  authenticate: () => ({ data: { said: 0 } }),
  limits: {
    perAddress: 2, //         connections at once: 429
    messagesPerSecond: 100, // of each client: reading pauses, and 1008 for those who go on
    messageBurst: 200,
  },
})
attachment.on("refused", ({ status, check, reason }) =>
  console.log(`server: refused, ${status} ${check}: ${reason}`),
)
await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/ws`
console.log(`a page of ours:   npx wscat -c ${url} -o https://app.example`)
console.log(`a stranger's:     npx wscat -c ${url} -o https://evil.example`)

/** Opens a plain WebSocket. Resolves with it, or with the HTTP answer that refuses it. */
function open(origin: string): Promise<WebSocket | { status: number; retryAfter: string | undefined }> {
  const socket = new WebSocket(url, { origin })
  return new Promise((resolve) => {
    socket.once("open", () => resolve(socket))
    socket.once("unexpected-response", (_request, { statusCode = 0, headers }) => {
      resolve({ status: statusCode, retryAfter: headers["retry-after"] })
    })
  })
}

const stranger = await open("https://evil.example")
console.log(`evil.example: ${stranger instanceof WebSocket ? "let in" : stranger.status}`)
const page = (await open("https://app.example")) as WebSocket
console.log("app.example: let in")

// a rate of the application's own: an answer for each message that is too many
await using client = new ReconnectingClient<FromServer, FromClient>(url) // a program, which has no origin
const answers: string[] = []
for (let i = 1; i <= SAYS + 2; i += 1) client.send({ type: "say", text: `${i}` })
for await (const answer of client) {
  answers.push(answer.type === "said" ? answer.text : answer.code)
  if (answers.length === SAYS + 2) break
}
console.log(`a talker gets: ${answers.join(", ")}`)

const third = await open("https://app.example")
if (!(third instanceof WebSocket)) {
  console.log(
    `a third: ${third.status}, come back in ${Number(third.retryAfter) > 0 ? "some" : "no"} seconds`,
  )
}

// a rate of the connection: it reads no faster, and TCP tells the sender
const FLOOD = 300
for (let i = 0; i < FLOOD; i += 1) page.send('{"type":"say","text":"flood"}')
let replies = 0
await new Promise<void>((resolve) => {
  page.on("message", () => {
    replies += 1
    if (replies === FLOOD) resolve()
  })
})
const paused = hub.stats().throttles > 0 ? "reading was paused" : "nobody was stopped"
console.log(`a flood of ${FLOOD}: ${replies} are answered, none is lost; ${paused}`)
page.close()
await hub.close()
http.close()
