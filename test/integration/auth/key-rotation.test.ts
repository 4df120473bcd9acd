import { type JwtKeySet, jwt } from "holdfast/auth/jwt"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { startKeyServer } from "../../support/auth-key-server.js"
import { forge, makeKeys, sign } from "../../support/auth-tokens.js"
import { startAttached } from "../../support/server-attached.js"
import { refusedBy } from "../../support/server-refusal.js"
import { connect } from "../../support/ws-server.js"

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } })
/** The calendar alone is false: sockets and timers are real. */
beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }))
afterEach(() => void vi.useRealTimers())
const later = (ms: number) => vi.setSystemTime(Date.now() + ms)

describe("S47: published keys", () => {
  it("are fetched once for many clients at a time, and kept", async () => {
    const keys = await makeKeys("RS256")
    const provider = await startKeyServer(keys.jwk)
    const authenticate = jwt({ jwks: provider.jwks, algorithms: ["RS256"] })
    const { url, hub } = await startAttached({ authenticate })
    expect(provider.requests).toBe(0)
    const tokens = await Promise.all(
      Array.from({ length: 20 }, (_, index) => sign(keys, { sub: `u${index}` })),
    )
    await Promise.all(tokens.map((token) => connect(url, bearer(token))))
    expect([hub.size, provider.requests]).toEqual([20, 1])
  })

  it("are fetched again for one that is not among them, but not within the cooldown", async () => {
    const [old, fresh] = [await makeKeys("ES256", "old"), await makeKeys("ES256", "fresh")]
    const provider = await startKeyServer(old.jwk)
    const authenticate = jwt({ jwks: provider.jwks, algorithms: ["ES256"], clockToleranceS: 60 })
    const { url, added, refused } = await startAttached({ authenticate })
    await connect(url, bearer(await sign(old)))
    provider.publish(old.jwk, fresh.jwk)
    // whoever makes up ids of keys does not make the server ask for them
    for (const kid of ["fresh", "made", "up"]) {
      expect((await refusedBy(url, bearer(await sign({ ...fresh, kid })))).status).toBe(401)
      expect(await refused.next()).toMatchObject({ reason: "token: key" })
    }
    later(29_999)
    expect((await refusedBy(url, bearer(await sign(fresh)))).status).toBe(401)
    expect(provider.requests).toBe(1)
    later(2)
    await connect(url, bearer(await sign(fresh, { sub: "bob" })))
    await connect(url, bearer(await sign(old)))
    expect(provider.requests).toBe(2)
    expect((await added.take(3)).map(({ userId }) => userId)).toEqual(["ada", "bob", "ada"])
  })

  it("that were withdrawn are not believed once the set is too old", async () => {
    const [old, fresh] = [await makeKeys("ES256", "old"), await makeKeys("ES256", "fresh")]
    const provider = await startKeyServer(old.jwk)
    const authenticate = jwt({ jwks: new URL(provider.jwks), algorithms: ["ES256"], jwksMaxAgeMs: 60_000 })
    const { url, refused } = await startAttached({ authenticate })
    await connect(url, bearer(await sign(old)))
    provider.publish(fresh.jwk)
    later(60_001)
    expect((await refusedBy(url, bearer(await sign(old)))).status).toBe(401)
    expect(await refused.next()).toMatchObject({ reason: "token: key" })
    await connect(url, bearer(await sign(fresh)))
    expect(provider.requests).toBe(2)
  })

  it("are no reason to believe a token that asks for none of them, or to fetch them", async () => {
    const keys = await makeKeys("RS256")
    const provider = await startKeyServer(keys.jwk)
    const authenticate = jwt({ jwks: provider.jwks, algorithms: ["RS256"], logger: false })
    const { url } = await startAttached({ authenticate })
    const confused = forge({ alg: "HS256", kid: keys.kid }, undefined, JSON.stringify(keys.jwk))
    for (const token of [forge({ alg: "none" }), confused, "open-sesame"]) {
      expect((await refusedBy(url, bearer(token))).status).toBe(401)
    }
    expect(provider.requests).toBe(0)
  })

  it.each([
    ["does not answer", "reset" as const],
    ["answers 500", { status: 500, body: "" }],
    ["answers with a page", { status: 200, body: "<html>" }],
    ["answers with something else", { status: 200, body: '{"keys":7}' }],
    ["answers with keys that are none", { status: 200, body: '{"keys":[null]}' }],
    ["answers elsewhere", { status: 302, body: "" }],
    ["never answers", "silence" as const],
    ["never ends its answer", "half" as const],
  ])(
    "that cannot be had are a 503 and an event, and nothing once they can: the provider %s",
    async (_, answer) => {
      const keys = await makeKeys("RS256")
      const provider = await startKeyServer(keys.jwk)
      provider.fail(answer)
      const authenticate = jwt({ jwks: provider.jwks, algorithms: ["RS256"], jwksTimeoutMs: 200 })
      const { url, hub, errors, refused } = await startAttached({ authenticate })
      const token = await sign(keys)
      expect(await refusedBy(url, bearer(token))).toMatchObject({ status: 503, body: "Service Unavailable" })
      expect(await errors.next()).toMatchObject({
        stage: "authenticate",
        error: {
          code: "AUTH_UNAVAILABLE",
          message: `the keys of ${provider.jwks} cannot be had`,
          cause: expect.any(Error),
        },
      })
      expect(await refused.next()).toMatchObject({ status: 503, reason: "authenticate cannot decide now" })
      provider.publish(keys.jwk)
      await connect(url, bearer(token))
      expect([hub.size, errors.size, refused.size]).toEqual([1, 0, 0])
    },
  )

  // a 500, and not an error that says what to do
  it.each([
    ["too short", (jwk: object) => ({ ...jwk, n: Buffer.alloc(64, 255).toString("base64url") })],
    ["not readable", (jwk: object) => ({ ...jwk, n: undefined })],
  ])("that cannot be used are a 503 and an event, and the others can: one is %s", async (_, spoil) => {
    const [bad, good] = [await makeKeys("RS256", "bad"), await makeKeys("RS256", "good")]
    const provider = await startKeyServer(spoil(bad.jwk), good.jwk)
    const keys = { keys: [spoil(bad.jwk), good.jwk] } as JwtKeySet
    for (const jwks of [provider.jwks, keys]) {
      const login = jwt({ jwks, algorithms: ["RS256"] })
      const failure = { code: "AUTH_UNAVAILABLE", cause: expect.anything() }
      await expect(login.verify(await sign(bad))).rejects.toMatchObject(failure)
      expect((await login.verify(await sign(good))).userId).toBe("ada")
    }
  })

  it("that change under many clients at a time are fetched again once, and withdraw the old", async () => {
    const [old, fresh] = [await makeKeys("ES256", "old"), await makeKeys("ES256", "fresh")]
    const provider = await startKeyServer(old.jwk)
    const login = jwt({ jwks: provider.jwks, algorithms: ["ES256"], jwksCooldownMs: 0 })
    const [before, after] = [await sign(old), await sign(fresh)]
    expect((await login.verify(before)).userId).toBe("ada")
    provider.publish(fresh.jwk)
    const logins = await Promise.all(Array.from({ length: 20 }, () => login.verify(after)))
    expect([logins.length, provider.requests]).toEqual([20, 2])
    await expect(login.verify(before)).rejects.toMatchObject({ check: "key" })
    expect((await login.verify(after)).userId).toBe("ada")
  })
})
