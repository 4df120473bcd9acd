/**
 * A server that hands out tokens and lets in who has one, for as long as it is good. Tokens come in a subprotocol, where a
 * browser can put them, and newer ones in messages.
 */

import { randomBytes } from "node:crypto"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { createHub, type Hub, hasErrorCode } from "holdfast"
import { type JwtAuthenticate, jwt } from "holdfast/auth/jwt"
import { attach } from "holdfast/server"
import { SignJWT } from "jose"
import type { FromClient, FromServer } from "./protocol.js"

/** The subprotocol that is agreed on, beside the one that carries the token. */
export const SUBPROTOCOL = "v1.login"

const SECRET = randomBytes(32)
const ISSUER = "https://login.example/"

interface User {
  readonly name: string
}

/** A running server. */
export interface LoginServer extends AsyncDisposable {
  readonly url: string
  /** Ends every connection of a user at once, whatever the token says. */
  revoke(user: string): Promise<unknown>
}

/** Starts on a port of this machine. Tokens are good for `lifeMs`. */
export async function startLoginServer(port: number, lifeMs: number): Promise<LoginServer> {
  const login = jwt<User>({
    key: SECRET,
    algorithms: ["HS256"],
    issuer: ISSUER,
    audience: "chat",
    from: ["header", "subprotocol"],
    clockToleranceS: 0, // there is one clock in this example
    closeCode: 4401, // so that a page learns that it must log in
    data: ({ sub = "" }) => ({ name: sub }),
  })
  const hub = makeHub(login)
  const http = createServer(async (request, response) => {
    const user = new URLSearchParams(request.url?.split("?")[1]).get("user")
    response.end(`${user ? await makeToken(user, lifeMs) : "ask for /login?user=ada"}\n`)
  })
  const attachment = attach(http, hub, { path: "/ws", authenticate: login })
  attachment.on("refused", ({ status, reason }) => console.log(`server: refused with ${status}, ${reason}`))
  await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    revoke: (user) => hub.user(user).close(4403, "revoked"),
    [Symbol.asyncDispose]: () => stop(hub, http),
  }
}

/** What happens on a connection: a welcome, a word before the end, and newer tokens. */
function makeHub(login: JwtAuthenticate<User>): Hub<FromClient, FromServer, User> {
  const hub = createHub<FromClient, FromServer, User>()
  hub.on("connection", ({ connection }) => connection.send({ type: "welcome", user: connection.data.name }))
  hub.on("expiring", ({ connection, expiresAt }) => connection.send({ type: "expiring", expiresAt }))
  hub.on("message", async ({ connection, data }) => {
    try {
      // a token of somebody else is as bad as none
      const { expiresAt = 0 } = await login.verify(data.token, { userId: connection.userId })
      connection.renew(expiresAt)
      connection.send({ type: "renewed", expiresAt })
    } catch (error) {
      if (!hasErrorCode(error, "TOKEN_REJECTED")) throw error
      connection.send({ type: "refused", why: "log in again" })
    }
  })
  return hub
}

function makeToken(user: string, lifeMs: number): Promise<string> {
  return new SignJWT({ sub: user, iss: ISSUER, aud: "chat", exp: (Date.now() + lifeMs) / 1_000 })
    .setProtectedHeader({ alg: "HS256" })
    .sign(SECRET)
}

async function stop(hub: Hub<FromClient, FromServer, User>, http: Server): Promise<void> {
  await hub.close()
  http.closeAllConnections()
  await new Promise((resolve) => http.close(resolve))
}
