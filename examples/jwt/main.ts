/**
 * `npm run demo:jwt`: ada renews her login twice and is thrown out then; bob lets his expire; eve makes up a token. The
 * logins of this example last four seconds.
 */

import { ReconnectingClient } from "holdfast"
import { SUBPROTOCOL, startLoginServer } from "./login-server.js"
import type { FromClient, FromServer } from "./protocol.js"

const LIFE_MS = 4_000
/** How long before the end a client renews, in milliseconds: a login of an hour can do with the 30 s of the notice. */
const AHEAD_MS = 3_000

await using server = await startLoginServer(Number(process.env.PORT ?? 0), LIFE_MS)
console.log(`a token:     curl "${server.url}/login?user=ada"`)
console.log(
  `a WebSocket: npx wscat -c ${server.url.replace("http", "ws")}/ws -H "Authorization: Bearer <token>"`,
)

async function tokenOf(user: string): Promise<string> {
  const response = await fetch(`${server.url}/login?user=${user}`)
  return (await response.text()).trim()
}

/** A client that asks for a token before each attempt, and says how it ends. */
function connect(user: string, token: () => Promise<string>) {
  const client = new ReconnectingClient<FromServer, FromClient>(`${server.url.replace("http", "ws")}/ws`, {
    protocols: async () => [SUBPROTOCOL, `bearer.${await token()}`],
  })
  const ended = new Promise<void>((resolve) => {
    client.on("end", ({ cause, lastClose }) => {
      console.log(`${user}: ended by ${lastClose?.code} ${lastClose?.reason}, cause ${cause}`)
      resolve()
    })
  })
  return { client, ended }
}

const ada = connect("ada", () => tokenOf("ada"))
let renewals = 0
let renewal: NodeJS.Timeout | undefined
void ada.ended.then(() => clearTimeout(renewal))
ada.client.on("message", async ({ data }) => {
  if (data.type === "welcome") console.log(`ada: welcome, ${data.user}`)
  if (data.type === "expiring") {
    renewal = setTimeout(
      async () => ada.client.send({ type: "renew", token: await tokenOf("ada") }),
      data.expiresAt - Date.now() - AHEAD_MS,
    )
  }
  if (data.type === "renewed") {
    renewals += 1
    console.log(`ada: renewed ${renewals} times`)
    if (renewals === 2) await server.revoke("ada")
  }
})

const bob = connect("bob", () => tokenOf("bob"))
const eve = connect("eve", async () => "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.")
await Promise.all([ada.ended, bob.ended, eve.ended])
