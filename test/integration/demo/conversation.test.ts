import { connect as netConnect } from "node:net"
import { describe, expect, it, onTestFinished } from "vitest"
import { WebSocket } from "ws"
import { until } from "../../support/deadline.js"
import { approach, type Demo, enter, startDemo } from "../../support/demo-chat.js"

const TOKEN = "a-secret-of-20-chars"

/** A handshake to a room of one space, by somebody who will never send a frame. */
const UPGRADE = [
  "GET /ws/%20 HTTP/1.1",
  "Host: 127.0.0.1",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "\r\n",
].join("\r\n")

async function health({ chat }: Demo): Promise<unknown> {
  return (await fetch(`${chat.url}/health`)).json()
}

describe("a conversation of clients that are not ours", () => {
  it("tells everybody what was said, the sender included", async () => {
    const demo = await startDemo()
    const ada = await enter(demo, "lobby", "ada")
    const bob = await enter(demo, "lobby", "bob")
    expect(bob.welcome.members).toEqual([ada.you, bob.you])
    expect((await ada.next("joined")).member).toEqual(bob.you)
    ada.send({ type: "say", id: "1", text: "hello\nbob" })
    const said = await bob.next("said")
    expect(said).toMatchObject({ id: "1", from: ada.you, text: "hello\nbob" })
    expect(await ada.next("said")).toEqual(said)
    await bob.client.close()
    expect((await ada.next("left")).member).toEqual(bob.you)
  })

  it("tells a whisper to the two of them alone", async () => {
    const demo = await startDemo()
    const ada = await enter(demo, "lobby", "ada")
    const bob = await enter(demo, "lobby", "bob")
    const eve = await enter(demo, "lobby", "eve")
    ada.send({ type: "whisper", id: "1", to: bob.you.id, text: "psst" })
    ada.send({ type: "say", id: "2", text: "nothing" })
    await bob.next("joined")
    const whispered = await bob.next("whispered")
    expect(whispered).toMatchObject({ id: "1", from: ada.you, to: bob.you, text: "psst" })
    expect((await eve.next("said")).id).toBe("2")
    expect((await enter(demo, "lobby", "late")).welcome.recent.map(({ id }) => id)).toEqual(["2"])
  })

  it("keeps rooms apart", async () => {
    const demo = await startDemo()
    const ada = await enter(demo, "north", "ada")
    const bob = await enter(demo, "south", "ada")
    expect(bob.welcome.members).toEqual([bob.you])
    ada.send({ type: "say", id: "1", text: "north" })
    bob.send({ type: "say", id: "2", text: "south" })
    expect((await ada.next("said")).id).toBe("1")
    expect((await bob.next("said")).id).toBe("2")
    ada.send({ type: "whisper", id: "3", to: bob.you.id, text: "psst" })
    expect((await ada.next("error")).code).toBe("NO_SUCH_MEMBER")
    expect(await health(demo)).toEqual({ ok: true, connections: 2, rooms: 2 })
  })

  it("answers a literal ping with a literal pong, before the join too", async () => {
    const demo = await startDemo()
    const stranger = await approach(demo, "lobby")
    stranger.client.send("ping")
    expect(await stranger.client.next()).toBe("pong")
  })

  it("says a repeated message once, and confirms it to its sender again", async () => {
    const demo = await startDemo()
    const ada = await enter(demo, "lobby", "ada")
    const bob = await enter(demo, "lobby", "bob")
    await ada.next("joined")
    ada.send({ type: "say", id: "1", text: "once" })
    ada.send({ type: "say", id: "1", text: "once" })
    ada.send({ type: "say", id: "2", text: "twice" })
    expect([(await ada.next("said")).id, (await ada.next("said")).id]).toEqual(["1", "1"])
    expect([(await bob.next("said")).id, (await bob.next("said")).id]).toEqual(["1", "2"])
  })

  it("lets the holder of the token take the name over, and closes the older connection", async () => {
    const demo = await startDemo()
    const witness = await enter(demo, "lobby", "witness")
    const older = await enter(demo, "lobby", "ada", TOKEN)
    const newer = await enter(demo, "lobby", "ada", TOKEN)
    expect(newer.you).toEqual(older.you)
    expect(await older.client.closed()).toMatchObject({ code: 4409 })
    newer.send({ type: "say", id: "1", text: "it is still me" })
    // to the others nobody has come or gone
    await witness.next("joined")
    expect((await witness.next("said")).from).toEqual(older.you)
    expect((await newer.next("said")).id).toBe("1")
    const thief = await approach(demo, "lobby")
    thief.send({ type: "join", name: "ada", token: "another-secret-of-somebody" })
    expect((await thief.next("error")).code).toBe("NAME_TAKEN")
  })

  it("frees a name when its line is cut", async () => {
    const demo = await startDemo()
    const bob = await enter(demo, "lobby", "bob")
    const ada = await enter(demo, "lobby", "ada")
    const cut = await fetch(`${demo.chat.url}/cut?id=${ada.you.id}`, { method: "POST" })
    expect(cut.status).toBe(202)
    expect((await ada.client.closed()).code).toBe(1006)
    await bob.next("joined")
    expect((await bob.next("left")).member).toEqual(ada.you)
    await enter(demo, "lobby", "ada")
  })
})

describe("the server", () => {
  it("goes down and comes back on the same port, without what it knew", async () => {
    const demo = await startDemo()
    const ada = await enter(demo, "lobby", "ada", TOKEN)
    ada.send({ type: "say", id: "1", text: "before" })
    await ada.next("said")
    const restarted = demo.chat.restart(300)
    expect((await ada.client.closed()).code).toBe(1006)
    await expect(fetch(`${demo.chat.url}/health`)).rejects.toThrow()
    await restarted
    expect(await health(demo)).toEqual({ ok: true, connections: 0, rooms: 0 })
    const again = await enter(demo, "lobby", "ada", TOKEN)
    expect(again.you).toEqual(ada.you)
    expect(again.welcome.recent).toEqual([])
  })

  it("closes with 1001 when it stops, and does so while it is down for a restart", async () => {
    const demo = await startDemo()
    const ada = await enter(demo, "lobby", "ada")
    await demo.chat.stop()
    expect((await ada.client.closed()).code).toBe(1001)
    const other = await startDemo()
    const restarted = other.chat.restart(60_000)
    await other.chat.stop()
    await restarted
  })

  it("stops within a second though a refused client never answers the close", async () => {
    const demo = await startDemo()
    const socket = netConnect(demo.chat.port, "127.0.0.1")
    onTestFinished(() => void socket.destroy())
    socket.write(UPGRADE)
    await until(() => demo.log.some((line) => line.includes("refused 400")), "the refusal")
    const begin = performance.now()
    await demo.chat.stop()
    expect(performance.now() - begin).toBeLessThan(1_000)
  })

  it.each([
    ["GET", "/nothing", 404],
    ["GET", "/restart", 405],
    ["POST", "/", 405],
    ["POST", "/cut?id=nobody", 404],
    ["HEAD", "/", 200],
  ])("answers %s %s with %i", async (method, path, status) => {
    const { chat } = await startDemo()
    expect((await fetch(`${chat.url}${path}`, { method })).status).toBe(status)
  })

  it("lets no page of another origin cut, restart or connect", async () => {
    const demo = await startDemo()
    const headers = { origin: "https://elsewhere.example" }
    const refused = await fetch(`${demo.chat.url}/restart`, { method: "POST", headers })
    expect(refused.status).toBe(403)
    const socket = new WebSocket(demo.roomUrl("lobby"), { headers })
    const error = await new Promise<Error>((resolve) => socket.once("error", resolve))
    expect(error.message).toContain("403")
  })
})
