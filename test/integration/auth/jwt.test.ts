import { KeyObject } from "node:crypto"
import { type JwtClaims, jwt } from "holdfast/auth/jwt"
import { describe, expect, it } from "vitest"
import {
  claimsOf,
  forge,
  inSeconds,
  makeKeys,
  pemOf,
  SECRET,
  sign,
  signHmac,
} from "../../support/auth-tokens.js"
import { RecordingLogger } from "../../support/recording-logger.js"
import { startAttached } from "../../support/server-attached.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"
import { refusedBy } from "../../support/server-refusal.js"
import { connect } from "../../support/ws-server.js"

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } })
const UNAUTHORIZED = { status: 401, body: "Unauthorized", headers: { "www-authenticate": "Bearer" } }

describe("S47: jwt lets in", () => {
  it.each(["HS256", "RS256", "ES256", "EdDSA"] as const)(
    "who has a token signed with %s",
    async (algorithm) => {
      const keys = algorithm === "HS256" ? undefined : await makeKeys(algorithm)
      const token = keys ? await sign(keys, { name: "Ada" }) : await signHmac({ name: "Ada" })
      const authenticate = jwt({ key: keys?.publicKey ?? SECRET, algorithms: [algorithm], audience: "chat" })
      const { url, hub, added, refused, errors } = await startAttached<JwtClaims>({ authenticate })
      const client = await connect(url, bearer(token))
      const connection = await added.next()
      expect(connection.userId).toBe("ada")
      expect(connection.data).toMatchObject({ name: "Ada", aud: "chat" })
      hub.user("ada").send("hello ada")
      expect(await client.next()).toBe("hello ada")
      expect([refused.size, errors.size]).toEqual([0, 0])
    },
  )

  it("with data that the application made of the claims", async () => {
    const data = async ({ sub = "?" }: JwtClaims) => ({ user: sub.toUpperCase() })
    const { url, added } = await startAttached({
      authenticate: jwt({ key: SECRET, algorithms: ["HS256"], data }),
    })
    await connect(url, bearer(await signHmac()))
    expect((await added.next()).data).toEqual({ user: "ADA" })
  })
})

describe("S47: jwt answers 401, the same to everybody, and says in the log which check it was:", () => {
  const keys = makeKeys("RS256")
  const token = async (claims = {}) => sign(await keys, claims)
  const publicPem = async () => pemOf(KeyObject.from((await keys).publicKey))

  const bad: readonly [what: string, check: string, token: () => string | Promise<string>][] = [
    ["alg none", "algorithm", () => forge({ alg: "none" })],
    ["alg None", "algorithm", () => forge({ alg: "None" })],
    ["alg none with a signature", "algorithm", () => forge({ alg: "none" }, undefined, SECRET)],
    ["no alg", "malformed", () => forge({ typ: "JWT" }, undefined, SECRET)],
    [
      "the public key as a secret",
      "algorithm",
      async () => forge({ alg: "HS256" }, undefined, await publicPem()),
    ],
    ["another RSA algorithm", "algorithm", async () => sign(await makeKeys("RS512"))],
    ["a key of its own", "signature", async () => sign(await makeKeys("RS256"))],
    [
      "a key of its own, brought along",
      "signature",
      async () => {
        const { jwk, privateKey } = await makeKeys("RS256")
        const { SignJWT } = await import("jose")
        return new SignJWT(claimsOf()).setProtectedHeader({ alg: "RS256", jwk }).sign(privateKey)
      },
    ],
    ["expired", "expired", () => token({ exp: inSeconds(-60) })],
    ["not yet valid", "early", () => token({ nbf: inSeconds(60) })],
    ["another issuer", "issuer", () => token({ iss: "https://evil.test/" })],
    ["another audience", "audience", () => token({ aud: "mail" })],
    ["nobody's", "claims", () => token({ sub: undefined })],
    ["without an end", "claims", () => token({ exp: undefined })],
    [
      "claims that were changed",
      "signature",
      async () => {
        const [header, , signature] = (await token()).split(".")
        return `${header}.${Buffer.from(JSON.stringify(claimsOf({ sub: "root" }))).toString("base64url")}.${signature}`
      },
    ],
    ["a signature that was cut off", "signature", async () => (await token()).replace(/[^.]+$/, "")],
    ["no token at all", "malformed", () => "open-sesame"],
  ]

  it.each(bad)("%s", async (_, check, make) => {
    const logger = new RecordingLogger()
    const { publicKey } = await keys
    const authenticate = jwt({
      key: publicKey,
      algorithms: ["RS256"],
      issuer: "https://id.test/",
      audience: "chat",
      logger,
    })
    const { url, hub, refused, errors } = await startAttached({ authenticate })
    const sent = await make()
    const answer = await refusedBy(url, bearer(sent))
    expect(answer).toMatchObject(UNAUTHORIZED)
    expect(Object.keys(answer.headers).sort()).toEqual([
      "connection",
      "content-length",
      "content-type",
      "www-authenticate",
    ])
    expect(await refused.next()).toMatchObject({
      status: 401,
      check: "authenticate",
      reason: `token: ${check}`,
    })
    expect(logger.lines).toEqual([
      {
        level: "info",
        fields: {
          event: "token.rejected",
          check,
          remoteAddress: "127.0.0.1",
          correlationId: expect.any(String),
        },
        message: `the token did not pass the check: ${check}`,
      },
    ])
    for (const part of sent.split(".").filter((it) => it !== "")) {
      expect(JSON.stringify(logger.lines)).not.toContain(part)
    }
    expect([hub.size, errors.size]).toEqual([0, 0])
  })

  it.each<[what: string, check: string, lines: (token: string) => string[]]>([
    ["no header", "missing", () => []],
    ["an empty header", "missing", () => ["Authorization:"]],
    ["another scheme", "missing", () => ["Authorization: Basic YWRhOnB3"]],
    ["a scheme without a token", "missing", () => ["Authorization: Bearer"]],
    [
      "two headers",
      "several",
      (token) => [`Authorization: Bearer ${token}`, `Authorization: Bearer ${token}`],
    ],
    ["two tokens in one header", "missing", (token) => [`Authorization: Bearer ${token} ${token}`]],
  ])("%s", async (_, check, lines) => {
    const { publicKey } = await keys
    const server = await startAttached({
      authenticate: jwt({ key: publicKey, algorithms: ["RS256"], logger: false }),
    })
    const raw = await RawClient.open(server)
    const headers = lines(await token())
      .map((it) => `${it}\r\n`)
      .join("")
    raw.socket.write(upgradeRequest().replace(/\r\n\r\n$/, `\r\n${headers}\r\n`))
    expect(await raw.status()).toBe(401)
    expect(await server.refused.next()).toMatchObject({ reason: `token: ${check}` })
  })

  it("or closes with a code that a page can read, where that is said", async () => {
    const authenticate = jwt({ key: SECRET, algorithms: ["HS256"], closeCode: 4401, logger: false })
    const { url, refused } = await startAttached({ authenticate })
    const client = await connect(url, bearer(await signHmac({ exp: inSeconds(-60) })))
    expect(await client.closed()).toEqual({ code: 4401, reason: "Unauthorized" })
    expect(await refused.next()).toMatchObject({ status: 401, reason: "token: expired" })
  })

  it("while a bug in data is a 500 and an event", async () => {
    const bug = new Error("a bug of the application")
    const data = () => {
      throw bug
    }
    const { url, errors } = await startAttached({
      authenticate: jwt({ key: SECRET, algorithms: ["HS256"], data }),
    })
    expect(await refusedBy(url, bearer(await signHmac()))).toMatchObject({ status: 500 })
    expect(await errors.next()).toEqual({ error: bug, stage: "authenticate" })
  })
})
