import { describe, expect, it, vi } from "vitest"
import { startAttached } from "../../support/server-attached.js"
import { startHttps } from "../../support/server-http.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"
import { refusedBy } from "../../support/server-refusal.js"
import { connect } from "../../support/ws-server.js"

describe("S42: the origin of an upgrade", () => {
  it("is the server's own host, over HTTP and over HTTPS", async () => {
    const plain = await startAttached()
    await connect(plain.url, { origin: `http://127.0.0.1:${plain.port}` })
    const secure = await startAttached({}, { target: await startHttps() })
    await connect(secure.url, { ...secure.trust, origin: `https://127.0.0.1:${secure.port}` })
    await connect(secure.url, {
      ...secure.trust,
      origin: "https://app.example",
      headers: { Host: "app.example:443" },
    })
    expect([plain.refused.size, secure.refused.size]).toEqual([0, 0])
  })

  it("is refused with 403 where it is another, before authenticate is asked", async () => {
    const authenticate = vi.fn()
    const { url, hub, refused } = await startAttached({ authenticate })
    const { status, body } = await refusedBy(url, { origin: "https://evil.example" })
    expect({ status, body }).toEqual({ status: 403, body: "Forbidden" })
    expect(await refused.next()).toEqual({
      status: 403,
      check: "origin",
      reason: "origin https://evil.example",
      remoteAddress: "127.0.0.1",
      correlationId: expect.any(String),
    })
    expect(authenticate).not.toHaveBeenCalled()
    expect(hub.size).toBe(0)
  })

  it("may be one of those listed", async () => {
    const { url } = await startAttached({ origins: ["https://app.example", "https://*.wild.example"] })
    await connect(url, { origin: "https://app.example" })
    await connect(url, { origin: "https://a.wild.example" })
    expect(await refusedBy(url, { origin: "https://evilwild.example" })).toMatchObject({ status: 403 })
    expect(await refusedBy(url, { origin: "null" })).toMatchObject({ status: 403 })
  })

  it("may be missing, unless the option says otherwise", async () => {
    const lenient = await startAttached()
    await connect(lenient.url)
    const strict = await startAttached({ allowMissingOrigin: false })
    expect(await refusedBy(strict.url)).toMatchObject({ status: 403 })
    expect(await strict.refused.next()).toMatchObject({ reason: "origin missing" })
    await connect(strict.url, { origin: strict.url.replace("ws:", "http:") })
  })

  it("R2: is compared with the host of an absolute target, which counts instead of the Host header", async () => {
    const server = await startAttached()
    const ask = async (origin: string) => {
      const raw = await RawClient.open(server)
      const headers = { Host: "proxy.example", Origin: origin }
      raw.socket.write(upgradeRequest({ target: "http://app.example/", headers }))
      return raw.status()
    }
    expect(await ask("https://app.example")).toBe(101)
    expect(await ask("https://proxy.example")).toBe(403)
  })

  it("may be anything where the check is off", async () => {
    const { url } = await startAttached({ origins: false })
    await connect(url, { origin: "https://evil.example" })
    await connect(url, { origin: "garbage" })
  })
})
