import { describe, expect, it } from "vitest"
import { serveRecipe } from "../../support/recipe.js"
import { connect } from "../../support/ws-server.js"

describe("recipes for frameworks", () => {
  it.each(["express", "fastify", "hono"])("%s: a route and a WebSocket on one port", async (recipe) => {
    const { port, url } = await serveRecipe(recipe)
    const client = await connect(url("/ws"))
    client.send('{"text":"hi"}')
    expect(await client.next()).toBe('{"text":"hi"}')
    expect((await fetch(`http://127.0.0.1:${port}/announce/dinner`, { method: "POST" })).status).toBe(204)
    expect(await client.next()).toBe('{"text":"dinner"}')
  })

  it("express: a session that middleware reads", async () => {
    const { url } = await serveRecipe("express", {
      index: 1,
      given: `
        import { createServer } from "node:http"
        import { createHub } from "holdfast"
        import { attach } from "holdfast/server"
        const http = createServer()
        const hub = createHub()
        hub.on("connection", ({ connection }) => connection.send(connection.data))
        const session = async (request, response, next) => {
          await undefined
          request.session = request.headers.cookie ? { user: request.headers.cookie } : {}
          next()
        }`,
      after: "http.listen(8080)",
    })
    const origin = url("").replace("ws", "http")
    const client = await connect(url("/ws"), { origin, headers: { cookie: "ada" } })
    expect(await client.next()).toBe('{"user":"ada"}')
    await expect(connect(url("/ws"), { origin })).rejects.toThrow("401")
    await expect(connect(url("/ws"), { headers: { cookie: "ada" } })).rejects.toThrow("403")
  })

  it("https: speaks TLS 1.3, and a renewed certificate counts without a restart", async () => {
    const { url, program } = await serveRecipe("https", {
      given: `
        import { writeFileSync, mkdtempSync } from "node:fs"
        import { tmpdir } from "node:os"
        import { selfSigned } from "./examples/beside/self-signed.js"
        const folder = mkdtempSync(tmpdir() + "/recipe-")
        const paths = { key: folder + "/key", cert: folder + "/cert" }
        writeFileSync(paths.key, selfSigned.key)
        writeFileSync(paths.cert, selfSigned.cert)`,
      after: `process.on("SIGHUP", () => console.log("read again"))`,
    })
    const wss = url("/ws").replace("ws:", "wss:")
    for (let round = 0; round < 2; round += 1) {
      const client = await connect(wss, { rejectUnauthorized: false, minVersion: "TLSv1.3" })
      client.send('{"text":"hi"}')
      expect(await client.next()).toBe('{"text":"hi"}')
      program.signal("SIGHUP")
      await program.line(/^read again$/)
    }
    await expect(connect(wss, { rejectUnauthorized: false, maxVersion: "TLSv1.2" })).rejects.toThrow(
      /version/,
    )
  })
})
