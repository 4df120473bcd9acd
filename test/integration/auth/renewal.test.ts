import { type JwtClaims, jwt, TokenError } from "holdfast/auth/jwt"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { SECRET, signHmac } from "../../support/auth-tokens.js"
import { type Attached, startAttached } from "../../support/server-attached.js"
import { connect } from "../../support/ws-server.js"

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } })

/** A server whose clients renew their logins by sending a token: "renew" asks for one, and the answer says what came of it. */
async function startRenewing(clock: VirtualClock): Promise<Attached<JwtClaims>> {
  const login = jwt({ key: SECRET, algorithms: ["HS256"], clock, clockToleranceS: 0 })
  const attached = await startAttached<JwtClaims>(
    { authenticate: login, clock },
    { hub: { clock, flush: "immediate" } },
  )
  attached.hub.on("expiring", ({ connection }) => connection.send("renew"))
  attached.hub.on("message", async ({ connection, data }) => {
    try {
      const { expiresAt = 0 } = await login.verify(data, { userId: connection.userId })
      connection.renew(expiresAt)
      connection.send("renewed")
    } catch (error) {
      if (!(error instanceof TokenError)) throw error
      connection.send(`not renewed: ${error.check}`)
    }
  })
  return attached
}

describe("S47: a login by token", () => {
  it("ends when the token expires, after a word, with 4401", async () => {
    const clock = new VirtualClock()
    const { url } = await startRenewing(clock)
    const start = Math.floor(clock.date() / 1_000)
    const client = await connect(url, bearer(await signHmac({ exp: start + 60 })))
    await clock.advance(30_000)
    expect(await client.next()).toBe("renew")
    await clock.advance(29_000)
    expect(client.socket.readyState).toBe(1)
    await clock.advance(1_000)
    expect(await client.closed()).toEqual({ code: 4401, reason: "the login has expired" })
  })

  it("goes on by a newer token that comes in a message, and no further", async () => {
    const clock = new VirtualClock()
    const { url } = await startRenewing(clock)
    const start = Math.floor(clock.date() / 1_000)
    const client = await connect(url, bearer(await signHmac({ exp: start + 60 })))
    await clock.advance(30_000)
    expect(await client.next()).toBe("renew")
    client.send(await signHmac({ exp: start + 120 }))
    expect(await client.next()).toBe("renewed")
    await clock.advance(60_000)
    expect(await client.next()).toBe("renew")
    await clock.advance(30_000)
    expect((await client.closed()).code).toBe(4401)
  })

  it.each([
    ["somebody else's", "user", { sub: "bob" }],
    ["an expired one", "expired", { exp: 1 }],
  ])("does not go on by %s", async (_, check, claims) => {
    const clock = new VirtualClock()
    const { url } = await startRenewing(clock)
    const start = Math.floor(clock.date() / 1_000)
    const client = await connect(url, bearer(await signHmac({ exp: start + 60 })))
    client.send(await signHmac({ exp: start + 120, ...claims }))
    expect(await client.next()).toBe(`not renewed: ${check}`)
    await clock.advance(60_000)
    expect((await client.closed()).code).toBe(4401)
  })

  it("within the tolerance opens a connection, which ends with the tolerance", async () => {
    const clock = new VirtualClock()
    const login = jwt({ key: SECRET, algorithms: ["HS256"], clock, clockToleranceS: 5 })
    const { url } = await startAttached({ authenticate: login, clock }, { hub: { clock } })
    const token = await signHmac({ exp: Math.floor(clock.date() / 1_000) + 10 })
    await clock.advance(12_000)
    const client = await connect(url, bearer(token))
    await clock.advance(3_000)
    expect((await client.closed()).code).toBe(4401)
  })

  it("is revoked on every connection of its user, and of nobody else", async () => {
    const login = jwt({ key: SECRET, algorithms: ["HS256"] })
    const { url, hub, added } = await startAttached({ authenticate: login })
    const ada = await signHmac()
    const phone = await connect(url, bearer(ada))
    const laptop = await connect(url, bearer(ada))
    const bob = await connect(url, bearer(await signHmac({ sub: "bob" })))
    await added.take(3)
    await hub.user("ada").close(4403, "revoked")
    for (const client of [phone, laptop])
      expect(await client.closed()).toEqual({ code: 4403, reason: "revoked" })
    hub.broadcast("still here")
    expect(await bob.next()).toBe("still here")
    expect(hub.size).toBe(1)
  })
})
