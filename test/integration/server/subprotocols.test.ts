import { describe, expect, it } from "vitest"
import { startAttached } from "../../support/server-attached.js"
import { connect } from "../../support/ws-server.js"

const NOT_SENT = "Server sent no subprotocol"

describe("the subprotocol", () => {
  it("is the first that the client offers, by default", async () => {
    const { url, added } = await startAttached()
    const client = await connect(url, { protocols: ["v2.chat", "v1.chat"] })
    expect(client.socket.protocol).toBe("v2.chat")
    expect((await added.next()).protocol).toBe("v2.chat")
  })

  it("is empty where the client offers none, whatever the server speaks", async () => {
    const { url, added } = await startAttached({
      protocols: ["v1.chat"],
      authenticate: () => ({ protocol: "v1.chat" }),
    })
    const client = await connect(url)
    expect(client.socket.protocol).toBe("")
    expect((await added.next()).protocol).toBe("")
  })

  it("is the one that the server likes best, of those the client offers", async () => {
    const { url } = await startAttached({ protocols: ["v3.chat", "v2.chat", "v1.chat"] })
    const client = await connect(url, { protocols: ["v1.chat", "v2.chat"] })
    expect(client.socket.protocol).toBe("v2.chat")
  })

  it("is none where the client offers nothing that the server speaks, and the client decides what that means", async () => {
    const { url, added } = await startAttached({ protocols: ["v1.chat"] })
    await expect(connect(url, { protocols: ["v2.chat"] })).rejects.toThrow(NOT_SENT)
    expect((await added.next()).protocol).toBe("")
  })

  it("is none where the server speaks none", async () => {
    const { url } = await startAttached({ protocols: [] })
    await expect(connect(url, { protocols: ["v1.chat"] })).rejects.toThrow(NOT_SENT)
  })

  it("S41: is what authenticate chooses, before what the server likes best", async () => {
    const { url, added } = await startAttached({
      protocols: ["v2.chat"],
      authenticate: async () => ({ protocol: "v1.chat" }),
    })
    const client = await connect(url, { protocols: ["v2.chat", "v1.chat"] })
    expect(client.socket.protocol).toBe("v1.chat")
    expect((await added.next()).protocol).toBe("v1.chat")
  })

  it("S41: is never one that the client did not offer, even if authenticate chooses it", async () => {
    const { url, added } = await startAttached({ authenticate: () => ({ protocol: "v9.chat" }) })
    await expect(connect(url, { protocols: ["v1.chat"] })).rejects.toThrow(NOT_SENT)
    expect((await added.next()).protocol).toBe("")
  })

  it("S41: is chosen for each client alone when many are decided at once", async () => {
    const { url } = await startAttached({
      async authenticate(request) {
        const protocol = new URL(request.url as string, "http://any").searchParams.get("want") as string
        await new Promise((resolve) => setImmediate(resolve))
        return { protocol }
      },
    })
    const protocols = Array.from({ length: 20 }, (_, index) => `v${index}`)
    const clients = await Promise.all(protocols.map((want) => connect(`${url}/?want=${want}`, { protocols })))
    expect(clients.map(({ socket }) => socket.protocol)).toEqual(protocols)
  })
})
