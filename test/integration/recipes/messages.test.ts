import { describe, expect, it } from "vitest"
import { runRecipe, serveRecipe } from "../../support/recipe.js"
import { connect } from "../../support/ws-server.js"

const as = (user: string) => ({ headers: { "x-user": user } })

describe("recipes for messages", () => {
  it("private-messages: to all devices of one user, and to nobody else", async () => {
    const { url } = await serveRecipe("private-messages")
    const [ada, phone, bob, eve] = [
      await connect(url("/ws"), as("ada")),
      await connect(url("/ws"), as("ada")),
      await connect(url("/ws"), as("bob")),
      await connect(url("/ws"), as("eve")),
    ]
    ada.send('{"type":"whisper","to":"bob","text":"psst"}')
    const whisper = '{"type":"whispered","from":"ada","text":"psst"}'
    expect([await bob.next(), await phone.next()]).toEqual([whisper, whisper])
    ada.send('{"type":"whisper","to":"cleo","text":"psst"}')
    expect(JSON.parse(String(await ada.next()))).toMatchObject({ type: "error", code: "NOBODY" })
    ada.send('{"type":"whisper","to":"bob","text":" "}')
    expect(JSON.parse(String(await ada.next()))).toMatchObject({ type: "error", code: "INVALID_MESSAGE" })
    expect([ada, phone, bob, eve].map(({ waiting }) => waiting)).toEqual([0, 0, 0, 0])
  })

  it("rooms-by-path: keeps rooms apart, and says when they begin and end", async () => {
    const { program, url } = await serveRecipe("rooms-by-path")
    const [ada, bob, eve] = [
      await connect(url("/ws/lobby")),
      await connect(url("/ws/lobby")),
      await connect(url("/ws/attic")),
    ]
    await program.line(/^attic begins$/)
    ada.send('{"text":"hi"}')
    expect(JSON.parse(String(await bob.next()))).toMatchObject({ text: "hi" })
    await eve.close()
    await program.line(/^attic is empty$/)
    expect([ada.waiting, eve.waiting]).toEqual([0, 0])
    for (const path of ["/ws/UPPER", "/ws/a/b", "/ws/"])
      await expect(connect(url(path))).rejects.toThrow("404")
    await expect(connect(url("/ws/%zz"))).rejects.toThrow("400")
  })

  it("presence: users and not connections, with what changes", async () => {
    const { url } = await serveRecipe("presence")
    const ada = await connect(url("/ws/lobby"), as("ada"))
    expect(JSON.parse(String(await ada.next()))).toMatchObject({ type: "present", members: [] })
    expect(JSON.parse(String(await ada.next()))).toMatchObject({ joined: [{ key: "ada" }] })
    const bob = await connect(url("/ws/lobby"), as("bob"))
    expect(JSON.parse(String(await bob.next()))).toMatchObject({ members: [{ key: "ada" }] })
    expect(JSON.parse(String(await ada.next()))).toMatchObject({ joined: [{ key: "bob" }] })
    const tab = await connect(url("/ws/lobby"), as("bob"))
    await tab.next()
    tab.send('{"type":"typing","isTyping":true}')
    expect(JSON.parse(String(await ada.next()))).toMatchObject({
      joined: [],
      updated: [{ key: "bob", meta: { isTyping: true } }],
    })
    await tab.close()
    await bob.close()
    const changes: { left: { key: string }[] }[] = []
    while (changes.at(-1)?.left.length !== 1) changes.push(JSON.parse(String(await ada.next())))
    expect(changes.at(-1)?.left).toMatchObject([{ key: "bob" }])
  })

  it("binary-and-msgpack: both sides of it", async () => {
    const { port } = await serveRecipe("binary-and-msgpack")
    const client = await runRecipe("binary-and-msgpack", {
      index: 1,
      after: `
        client.on("message", async ({ data }) => {
          console.log(data.name, data.size, data.at instanceof Date)
          await client.close()
        })`,
      replace: ["wss://api.example/ws", `ws://127.0.0.1:${port}/ws`],
    })
    expect(await client.exited()).toEqual({ code: 0, stdout: "photo 3 true\n", stderr: "" })
  })

  it("rpc: an answer, and a refusal", async () => {
    const { url } = await serveRecipe("rpc")
    const client = await runRecipe("rpc", {
      index: 1,
      given: `
        const url = "${url("/ws")}"
        type Calls = { type: "add"; a: number; b: number } | { type: "user"; name: string }
        type Replies = { add: number; user: { name: string; age: number } }`,
      after: "await client.close()",
    })
    expect(await client.exited()).toEqual({ code: 0, stdout: "3 NOT_FOUND\n", stderr: "" })
  })

  it("svelte: stores that keep the contract", async () => {
    const { url } = await serveRecipe("rooms-by-path")
    const program = await runRecipe("svelte", {
      after: `
        import { ReconnectingClient } from "holdfast"
        const clients = [1, 2].map(() => new ReconnectingClient<{ text: string }, { text: string }>("${url("/ws/lobby")}"))
        const [client, other] = clients
        const states = []
        stateOf(client).subscribe((state) => states.push(state))
        const texts = folded(client, [] as string[], (before, { text }) => [...before, text])
        let seen
        const end = texts.subscribe((value) => { seen = value })
        console.log("at once", seen.length, client.listenerCount("message"))
        await Promise.all(clients.map((it) => it.opened))
        other.send({ text: "hi" })
        await new Promise((resolve) => client.once("message", resolve))
        console.log(seen.join())
        end()
        console.log("left", client.listenerCount("message"))
        await Promise.all(clients.map((it) => it.close()))
        console.log(states.join())`,
    })
    expect(await program.exited()).toEqual({
      code: 0,
      stdout: "at once 0 1\nhi\nleft 0\nidle,connecting,open,closing,closed\n",
      stderr: "",
    })
  })

  it("one-function-for-each-connection: each has a state of its own, and cleans up however it ends", async () => {
    const { program, url } = await serveRecipe("one-function-for-each-connection")
    const [ada, bob] = [await connect(url("/ws")), await connect(url("/ws"))]
    for (const client of [ada, bob])
      expect(JSON.parse(String(await client.next()))).toMatchObject({ type: "hello" })
    for (const n of [1, 2, 3]) ada.send(`{"type":"add","n":${n}}`)
    bob.send('{"type":"add","n":10}')
    const sums = [await ada.next(), await ada.next(), await ada.next(), await bob.next()]
    expect(sums.map((it) => JSON.parse(String(it)).sum)).toEqual([1, 3, 6, 10])
    ada.send('{"type":"leave"}')
    await program.line(/^over with 6$/)
    bob.socket.terminate()
    await program.line(/^over with 10$/)
  })
})
