import { describe, expect, it, vi } from "vitest"
import { startAttached } from "../../support/server-attached.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"
import { refusedBy } from "../../support/server-refusal.js"
import { connect } from "../../support/ws-server.js"

describe("the path of an upgrade", () => {
  it("is the root by default, whatever the query", async () => {
    const { url } = await startAttached()
    await connect(url)
    await connect(`${url}/?token=a/b`)
    expect(await refusedBy(`${url}/ws`)).toMatchObject({ status: 404, body: "Not Found" })
  })

  it("S1: gives its parameters, decoded, to authenticate and to the connection", async () => {
    const params: unknown[] = []
    const { url, added } = await startAttached({
      path: "/teams/:team/rooms/:room",
      authenticate: (_request, context) => void params.push({ ...context.params }),
    })
    await connect(`${url}/teams/red/rooms/a%20b%2F%E2%82%AC?room=other`)
    const { params: kept } = await added.next()
    expect(params).toEqual([{ team: "red", room: "a b/€" }])
    expect({ ...kept }).toEqual({ team: "red", room: "a b/€" })
  })

  it("may have parameters named like Object's own members", async () => {
    const { url, added } = await startAttached({ path: "/:__proto__/:constructor" })
    await connect(`${url}/a/b`)
    const { params } = await added.next()
    expect(Object.entries(params)).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
    ])
  })

  it("R6: is refused with 400 where it is malformed, before authenticate is asked, with an answer that repeats nothing", async () => {
    const authenticate = vi.fn()
    const { url, refused } = await startAttached({ path: "/ws/:room", authenticate })
    expect(await refusedBy(`${url}/ws/%zz`)).toMatchObject({ status: 400, body: "Bad Request" })
    expect(await refused.next()).toMatchObject({ status: 400, reason: "malformed path" })
    expect(authenticate).not.toHaveBeenCalled()
  })

  it.each(["/ws", "/ws/", "/ws/lobby/", "/ws/lobby/more", "/WS/lobby", "//ws/lobby", "/", "*"])(
    "R2: is refused with 404 where it is %s and not /ws/:room",
    async (target) => {
      const server = await startAttached({ path: "/ws/:room" })
      const raw = await RawClient.open(server)
      raw.socket.write(upgradeRequest({ target }))
      const answer = await raw.ended()
      expect(answer).toMatch(/^HTTP\/1.1 404 Not Found\r\n/)
      expect(answer.split("\r\n\r\n")[1]).toBe("Not Found")
      expect(await server.refused.next()).toMatchObject({ status: 404, check: "path" })
      expect(server.hub.size).toBe(0)
    },
  )

  it("may be one of several", async () => {
    const { url, added } = await startAttached({ path: ["/chat", "/ws/:room", "/ws/:team/:room"] })
    await connect(`${url}/chat`)
    await connect(`${url}/ws/lobby`)
    await connect(`${url}/ws/red/lobby`)
    const params = (await added.take(3)).map((it) => ({ ...it.params }))
    expect(params).toEqual([{}, { room: "lobby" }, { team: "red", room: "lobby" }])
    expect(await refusedBy(`${url}/ws`)).toMatchObject({ status: 404 })
  })
})
