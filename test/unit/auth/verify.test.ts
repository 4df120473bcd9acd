import { hasErrorCode } from "holdfast"
import { type JwtClaims, jwt, TokenError } from "holdfast/auth/jwt"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { forge, inSeconds, makeKeys, SECRET, sign, signHmac } from "../../support/auth-tokens.js"

const HS = { algorithms: ["HS256"], key: SECRET } as const

describe("S47: verify", () => {
  it("tells whose login it is, until when, and what the token says", async () => {
    const exp = inSeconds(60)
    const login = await jwt(HS).verify(await signHmac({ exp, role: "admin" }))
    expect(login).toMatchObject({ userId: "ada", expiresAt: (exp + 5) * 1_000, data: { role: "admin" } })
    expect(login.data).toBe(login.claims)
  })

  it("makes data and a user of the claims as it is told, even later", async () => {
    const token = await signHmac({ uid: "7", name: "Ada" })
    const data = async ({ name }: JwtClaims) => ({ name: String(name) })
    expect((await jwt({ ...HS, data }).verify(token)).data).toEqual({ name: "Ada" })
    expect((await jwt({ ...HS, userId: "uid" }).verify(token)).userId).toBe("7")
    expect((await jwt({ ...HS, userId: ({ uid }) => `u${uid}` }).verify(token)).userId).toBe("u7")
    expect((await jwt({ ...HS, userId: false }).verify(token)).userId).toBeUndefined()
  })

  it.each<[check: string, claims: Record<string, unknown>]>([
    ["expired", { exp: inSeconds(-10) }],
    ["early", { nbf: inSeconds(10) }],
    ["issuer", { iss: "https://evil.test/" }],
    ["issuer", { iss: ["https://id.test/"] }],
    ["audience", { aud: "mail" }],
    ["audience", { aud: ["mail", "calendar"] }],
    ["claims", { iss: undefined }],
    ["claims", { aud: undefined }],
    ["claims", { exp: undefined }],
    ["claims", { exp: "tomorrow" }],
    ["claims", { sub: undefined }],
    ["claims", { sub: 7 }],
    ["claims", { sub: "" }],
  ])("says that the check is %s: %o", async (check, claims) => {
    const login = jwt({ ...HS, issuer: "https://id.test/", audience: ["chat", "game"] })
    // by hand, as a library would not sign all of these
    const token = forge(
      { alg: "HS256" },
      { sub: "ada", iss: "https://id.test/", aud: "chat", exp: inSeconds(60), ...claims },
      SECRET,
    )
    await expect(login.verify(token)).rejects.toMatchObject({ code: "TOKEN_REJECTED", check })
  })

  it("takes one of several issuers and audiences", async () => {
    const login = jwt({ ...HS, issuer: ["https://old.test/", "https://id.test/"], audience: "chat" })
    expect((await login.verify(await signHmac({ aud: ["mail", "chat"] }))).userId).toBe("ada")
  })

  it("allows for clocks that differ, and no more than that", async () => {
    const clock = new VirtualClock()
    const start = Math.floor(clock.date() / 1_000)
    const token = await signHmac({ exp: start + 60, nbf: start })
    const login = jwt({ ...HS, clock, clockToleranceS: 10 })
    await clock.advance(69_000)
    const { expiresAt } = await login.verify(token)
    expect(expiresAt).toBe((start + 70) * 1_000)
    await clock.advance(2_000)
    await expect(login.verify(token)).rejects.toMatchObject({ check: "expired" })
  })

  it("takes a token without an end where that is said, and one that never ends", async () => {
    const login = jwt({ ...HS, requiredClaims: [] })
    expect((await login.verify(await signHmac({ exp: undefined }))).expiresAt).toBeUndefined()
    const endless = forge({ alg: "HS256" }, { sub: "ada", exp: 1e300 }, SECRET)
    expect((await login.verify(endless)).expiresAt).toBe(8.64e15)
  })

  it.each([
    ["nothing", ""],
    ["words", "let me in"],
    ["two parts", "e30.e30"],
    ["five parts", "e30.e30.e30.e30.e30"],
    ["a header that is no JSON", "bm8.e30.c2ln"],
    ["claims that are no object", forge({ alg: "HS256" }, [1, 2], SECRET)],
    ["something that is no string", 7 as unknown as string],
  ])("says that it is malformed: %s", async (_, token) => {
    await expect(jwt(HS).verify(token)).rejects.toMatchObject({ check: "malformed" })
  })

  it("says that an extension it does not understand is not its business", async () => {
    const token = forge({ alg: "HS256", crit: ["http://x.test/"], "http://x.test/": 1 }, undefined, SECRET)
    await expect(jwt(HS).verify(token)).rejects.toMatchObject({ check: "algorithm" })
  })

  it("says that the token is somebody else's", async () => {
    const token = await signHmac({ sub: "bob" })
    expect((await jwt(HS).verify(token, { userId: "bob" })).userId).toBe("bob")
    await expect(jwt(HS).verify(token, { userId: "ada" })).rejects.toMatchObject({ check: "user" })
  })

  // it was taken for a token that may be anybody's
  it("takes no other name for the option", async () => {
    const verified = jwt(HS).verify(await signHmac({ sub: "bob" }), { user: "ada" } as object)
    await expect(verified).rejects.toThrow('verify.user must be one of userId, received "user"')
    const anybodys = await jwt(HS).verify(await signHmac({ sub: "bob" }), { userId: undefined })
    expect(anybodys.userId).toBe("bob")
  })

  it("rejects with an error that has neither the token nor its claims in it", async () => {
    const token = await signHmac({ exp: inSeconds(-10), secret: "of-ada" })
    const error: unknown = await jwt(HS)
      .verify(token)
      .catch((it) => it)
    expect(error).toBeInstanceOf(TokenError)
    expect(hasErrorCode(error, "TOKEN_REJECTED")).toBe(true)
    expect((error as TokenError).cause).toBeUndefined()
    const [header = "-", payload = "-"] = token.split(".")
    for (const part of ["of-ada", header, payload])
      expect(JSON.stringify(error) + String(error)).not.toContain(part)
  })

  it("leaves what data throws as it is", async () => {
    const bug = new Error("a bug of the application")
    const login = jwt({ ...HS, data: () => Promise.reject(bug) })
    await expect(login.verify(await signHmac())).rejects.toBe(bug)
  })

  it("says key where a set has two that fit a token without an id", async () => {
    const [one, two] = [await makeKeys("ES256", "one"), await makeKeys("ES256", "two")]
    const login = jwt({ jwks: { keys: [one.jwk, two.jwk] }, algorithms: ["ES256"] })
    const unnamed = await sign({ ...one, kid: undefined as unknown as string })
    await expect(login.verify(unnamed)).rejects.toMatchObject({ check: "key" })
  })
})
