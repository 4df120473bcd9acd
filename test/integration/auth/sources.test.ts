import { type JwtOptions, jwt, type TokenSource } from "holdfast/auth/jwt"
import { describe, expect, it } from "vitest"
import { SECRET, signHmac } from "../../support/auth-tokens.js"
import { startAttached } from "../../support/server-attached.js"
import { refusedBy } from "../../support/server-refusal.js"
import { type ConnectOptions, connect } from "../../support/ws-server.js"

const login = (from: JwtOptions["from"]) =>
  jwt({ key: SECRET, algorithms: ["HS256"], from, logger: false } as JwtOptions)

/** What a client does to send a token. */
type Sent = Pick<ConnectOptions, "headers" | "protocols"> & { readonly path?: string }

describe("S47: a token is taken from", () => {
  it.each<[what: string, from: TokenSource, sent: (token: string) => Sent]>([
    ["a header", "header", (it) => ({ headers: { Authorization: `bearer  ${it}` } })],
    ["a header of another name", { header: "X-Token" }, (it) => ({ headers: { "x-token": it } })],
    ["a cookie", "cookie", (it) => ({ headers: { Cookie: `a=b; token=${it}; c=d` } })],
    [
      "a cookie of another name, quoted",
      { cookie: "sid" },
      (it) => ({ headers: { Cookie: `xsid=1;sid="${it}"` } }),
    ],
    ["the query", "query", (it) => ({ path: `/?a=b&access_token=${it}&token=c` })],
    ["a parameter of another name", { query: "jwt" }, (it) => ({ path: `/?jwt=${it}` })],
    ["a subprotocol", "subprotocol", (it) => ({ protocols: [`bearer.${it}`, "v1.chat"] })],
    [
      "a subprotocol of another prefix",
      { subprotocol: "auth-" },
      (it) => ({ protocols: ["v1.chat", `auth-${it}`] }),
    ],
  ])("%s", async (_, from, sent) => {
    const { url, added } = await startAttached({ authenticate: login(from) })
    const { path = "", ...options } = sent(await signHmac())
    await connect(url + path, options)
    expect((await added.next()).userId).toBe("ada")
  })

  it("the first place that has one, and no other, however good", async () => {
    const authenticate = login(["cookie", "query"])
    const { url, added, refused } = await startAttached({ authenticate })
    const [ada, bob] = [await signHmac(), await signHmac({ sub: "bob" })]
    await connect(`${url}/?access_token=${bob}`, { headers: { Cookie: `token=${ada}` } })
    expect((await added.next()).userId).toBe("ada")
    await connect(`${url}/?access_token=${bob}`)
    expect((await added.next()).userId).toBe("bob")
    const answer = await refusedBy(`${url}/?access_token=${bob}`, { headers: { Cookie: "token=spoiled" } })
    expect(answer.status).toBe(401)
    expect(await refused.next()).toMatchObject({ reason: "token: malformed" })
  })

  it.each<[what: string, from: TokenSource, sent: (a: string, b: string) => Sent]>([
    ["two cookies", "cookie", (a, b) => ({ headers: { Cookie: `token=${a}; token=${b}` } })],
    ["two parameters", "query", (a, b) => ({ path: `/?access_token=${a}&access_token=${b}` })],
    ["two subprotocols", "subprotocol", (a, b) => ({ protocols: [`bearer.${a}`, `bearer.${b}`, "v1"] })],
  ])("neither of %s", async (_, from, sent) => {
    const { url, refused } = await startAttached({ authenticate: login(from) })
    const { path = "", protocols, ...options } = sent(await signHmac(), await signHmac({ sub: "bob" }))
    const headers = protocols && { "Sec-WebSocket-Protocol": protocols.join(", ") }
    const answer = await refusedBy(url + path, { headers: { ...options.headers, ...headers } })
    expect(answer).toMatchObject({ status: 401, body: "Unauthorized" })
    expect(await refused.next()).toMatchObject({ reason: "token: several" })
  })

  it.each<[what: string, from: TokenSource, sent: Sent]>([
    ["an empty cookie", "cookie", { headers: { Cookie: "token=; other" } }],
    ["an empty parameter", "query", { path: "/?access_token=" }],
    ["an empty subprotocol", "subprotocol", { headers: { "Sec-WebSocket-Protocol": "bearer., v1" } }],
  ])("nowhere else: %s", async (_, from, { path = "", ...options }) => {
    const { url, refused } = await startAttached({ authenticate: login(from) })
    expect(await refusedBy(url + path, options)).toMatchObject({ status: 401 })
    expect(await refused.next()).toMatchObject({ reason: "token: missing" })
  })
})

describe("S47: a token in a subprotocol is not sent back", () => {
  it.each([
    ["the other one is agreed on", undefined, "v2.chat"],
    ["the one that the server likes best is", ["v1.chat"], "v1.chat"],
  ])("%s", async (_, protocols, agreed) => {
    const { url, added } = await startAttached({ authenticate: login("subprotocol"), protocols })
    const client = await connect(url, { protocols: [`bearer.${await signHmac()}`, "v2.chat", "v1.chat"] })
    expect(client.socket.protocol).toBe(agreed)
    expect((await added.next()).protocol).toBe(agreed)
  })

  it("even where there is no other", async () => {
    const { url, added } = await startAttached({ authenticate: login("subprotocol") })
    const alone = connect(url, { protocols: [`bearer.${await signHmac()}`] })
    await expect(alone).rejects.toThrow("Server sent no subprotocol")
    expect((await added.next()).protocol).toBe("")
  })

  it("even where another place was the first to have one", async () => {
    const { url, added } = await startAttached({ authenticate: login(["query", "subprotocol"]) })
    const [ada, bob] = [await signHmac(), await signHmac({ sub: "bob" })]
    const client = await connect(`${url}/?access_token=${ada}`, { protocols: [`bearer.${bob}`, "v1.chat"] })
    expect(client.socket.protocol).toBe("v1.chat")
    expect(await added.next()).toMatchObject({ userId: "ada", protocol: "v1.chat" })
  })

  it("not even with a close code", async () => {
    const authenticate = jwt({
      key: SECRET,
      algorithms: ["HS256"],
      from: "subprotocol",
      closeCode: 4401,
      logger: false,
    })
    const { url } = await startAttached({ authenticate })
    const client = await connect(url, { protocols: ["bearer.spoiled", "v1.chat"] })
    expect(client.socket.protocol).toBe("v1.chat")
    expect((await client.closed()).code).toBe(4401)
  })
})
