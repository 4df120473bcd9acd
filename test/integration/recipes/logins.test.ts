import { SignJWT } from "jose"
import { describe, expect, it } from "vitest"
import { serveRecipe } from "../../support/recipe.js"
import { connect } from "../../support/ws-server.js"

const hello = (user: string) => JSON.stringify({ type: "hello", user })

describe("recipes for logins", () => {
  it("auth-with-cookies: knows who has a session, of its own pages alone, and logs out", async () => {
    const { program, url, port } = await serveRecipe("auth-with-cookies", {
      given: `const sessionOf = async (cookie: string | undefined) =>
        cookie === "session=ada" ? { user: "ada", endsAt: new Date(Date.now() + 60_000) } : undefined`,
      after: `process.stdin.once("data", () => logOut("ada"))`,
    })
    const cookie = { cookie: "session=ada" }
    const ada = await connect(url("/ws"), { origin: "https://app.example", headers: cookie })
    expect(await ada.next()).toBe(hello("ada"))
    const own = await connect(url("/ws"), { origin: `http://127.0.0.1:${port}`, headers: cookie })
    expect(await own.next()).toBe(hello("ada"))
    await expect(connect(url("/ws"), { origin: "https://app.example" })).rejects.toThrow("401")
    await expect(connect(url("/ws"), { headers: cookie })).rejects.toThrow("403")
    await expect(connect(url("/ws"), { origin: "https://evil.example", headers: cookie })).rejects.toThrow(
      "403",
    )
    program.type("log out")
    for (const client of [ada, own])
      expect(await client.closed()).toEqual({ code: 4403, reason: "logged out" })
  })

  it("auth-with-jwt: lets a good token in, by header and by subprotocol, and takes a newer one", async () => {
    const secret = "a secret of at least thirty-two bytes"
    const { url } = await serveRecipe("auth-with-jwt", { given: `process.env.JWT_SECRET = "${secret}"` })
    const tokenOf = (user: string, seconds: number) =>
      new SignJWT({ sub: user, iss: "https://id.example/", aud: "chat" })
        .setProtectedHeader({ alg: "HS256" })
        .setExpirationTime(Math.floor(Date.now() / 1_000) + seconds)
        .sign(new TextEncoder().encode(secret))
    const ada = await connect(url("/ws"), {
      headers: { authorization: `Bearer ${await tokenOf("ada", 20)}` },
    })
    expect(await ada.take(2)).toEqual([hello("ada"), '{"type":"token-please"}'])
    ada.send(JSON.stringify({ type: "renew", token: await tokenOf("bob", 3_600) }))
    expect(await ada.next()).toBe('{"type":"log-in-again"}')
    ada.send(JSON.stringify({ type: "renew", token: await tokenOf("ada", 3_600) }))

    const bob = await connect(url("/ws"), { protocols: ["v1.chat", `bearer.${await tokenOf("bob", 3_600)}`] })
    expect(bob.socket.protocol).toBe("v1.chat")
    expect(await bob.next()).toBe(hello("bob"))
    await expect(connect(url("/ws"), { protocols: ["v1.chat", "bearer.nonsense"] })).rejects.toThrow("401")
    expect(ada.waiting).toBe(0)
  })

  it("auth-with-a-ticket: takes each ticket once", async () => {
    const { url, port } = await serveRecipe("auth-with-a-ticket", {
      given: `const userOf = async (header: string | undefined) => header === "Bearer good" ? "ada" : undefined`,
    })
    const ask = (authorization: string) =>
      fetch(`http://127.0.0.1:${port}/ticket`, { method: "POST", headers: { authorization } })
    expect((await ask("Bearer bad")).status).toBe(401)
    const ticket = await (await ask("Bearer good")).text()
    const client = await connect(url(`/ws?ticket=${ticket}`))
    expect(await client.next()).toBe(hello("ada"))
    await expect(connect(url(`/ws?ticket=${ticket}`))).rejects.toThrow("401")
    await expect(connect(url("/ws"))).rejects.toThrow("401")
  })
})
