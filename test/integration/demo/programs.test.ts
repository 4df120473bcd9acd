import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, it, onTestFinished } from "vitest"
import type { ServerMessage } from "../../../examples/chat/protocol.js"
import { enter, startDemo } from "../../support/demo-chat.js"
import { type Program, startProgram } from "../../support/demo-process.js"
import { connect, type TestClient } from "../../support/ws-server.js"

async function startServer(): Promise<{ readonly program: Program; readonly port: number }> {
  const program = startProgram("chat/main.ts", [], { PORT: "0" })
  const [, port] = await program.line(/http:\/\/localhost:(\d+)/)
  return { program, port: Number(port) }
}

async function join(port: number, name: string): Promise<TestClient> {
  const client = await connect(`ws://127.0.0.1:${port}/ws/lobby`)
  client.send(JSON.stringify({ type: "join", name }))
  expect((JSON.parse(String(await client.next())) as ServerMessage).type).toBe("welcome")
  return client
}

const TERMINAL = "chat/terminal.ts"

describe("npm run demo", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "stops within a second on %s, with clients there",
    async (signal) => {
      const { program, port } = await startServer()
      const clients = [await join(port, "ada"), await join(port, "bob")]
      const health = await fetch(`http://127.0.0.1:${port}/health`)
      expect(await health.json()).toEqual({ ok: true, connections: 2, rooms: 1 })
      program.signal(signal)
      const { code, stderr } = await program.exited(1_000)
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
      for (const client of clients) expect((await client.closed()).code).toBe(1001)
    },
  )

  it("says in one sentence that its port is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1")
    await new Promise((resolve) => taken.once("listening", resolve))
    onTestFinished(() => void taken.close())
    const { port } = taken.address() as AddressInfo
    const { code, stdout, stderr } = await startProgram("chat/main.ts", [], { PORT: String(port) }).exited()
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" })
    expect(stderr).toBe(`Port ${port} is taken: stop what listens there, or choose another with PORT=8081.\n`)
  })

  it("says in one sentence that its port is none", async () => {
    const { code, stderr } = await startProgram("chat/main.ts", [], { PORT: "80 80" }).exited()
    expect(code).toBe(1)
    expect(stderr).toBe('PORT is "80 80", and a port is a whole number from 0 to 65535.\n')
  })
})

describe("npm run demo:client", () => {
  it("chats, whispers, lists the members, and leaves", async () => {
    const demo = await startDemo()
    const bob = await enter(demo, "lobby", "bob the builder")
    const args = ["--room", "lobby", "--name", "ada", "--url", `ws://127.0.0.1:${demo.chat.port}`]
    const ada = startProgram(TERMINAL, args)
    await ada.line(/^\* you are ada in lobby; here: bob the builder$/)
    await bob.next("joined")
    ada.type("hello everybody")
    expect(await bob.next("said")).toMatchObject({ text: "hello everybody", from: { name: "ada" } })
    await ada.line(/^ada: hello everybody$/)
    bob.send({ type: "say", id: "1", text: "two\nlines" })
    await ada.line(/^bob the builder: two$/)
    await ada.line(/^ {4}lines$/)
    await bob.next("said")
    ada.type("/to bob the builder a word in private")
    expect(await bob.next("whispered")).toMatchObject({ text: "a word in private" })
    await ada.line(/^ada → bob the builder \(private\): a word in private$/)
    ada.type("/to carol hello?")
    await ada.line(/^\* nobody of that name is here: bob the builder, ada$/)
    ada.type("/members")
    await ada.line(/^\* here: bob the builder, ada$/)
    ada.type("/quit")
    expect(await ada.exited()).toMatchObject({ code: 0, stderr: "" })
    await bob.next("left")
  })

  it("tells of a lost connection, and sends afterwards what was typed meanwhile", async () => {
    const demo = await startDemo()
    const args = ["--room", "lobby", "--name", "ada", "--url", `ws://127.0.0.1:${demo.chat.port}`]
    const ada = startProgram(TERMINAL, args)
    await ada.line(/you are ada/)
    const restarted = demo.chat.restart(400)
    await ada.line(/^\* Connection lost, next try in \d+ s$/)
    ada.type("one")
    ada.type("two")
    await ada.line(/^\* 2 messages wait for the connection$/)
    await restarted
    await ada.line(/^\* you are ada/)
    await ada.line(/^ada: one$/)
    await ada.line(/^ada: two$/)
    ada.endInput()
    expect((await ada.exited()).code).toBe(0)
  })

  it("ends cleanly on Ctrl-C", async () => {
    const demo = await startDemo()
    const args = ["--room", "lobby", "--name", "ada", "--url", `ws://127.0.0.1:${demo.chat.port}`]
    const ada = startProgram(TERMINAL, args)
    await ada.line(/you are ada/)
    ada.signal("SIGINT")
    const { code, stdout, stderr } = await ada.exited()
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(stdout).toMatch(/\* You left the room\.\n$/)
  })

  it("ends with the server's reason when it is not let in", async () => {
    const demo = await startDemo()
    await enter(demo, "lobby", "ada")
    const args = ["--room", "lobby", "--name", "Ada", "--url", `ws://127.0.0.1:${demo.chat.port}`]
    const { code, stdout } = await startProgram(TERMINAL, args).exited()
    expect(code).toBe(1)
    expect(stdout).toMatch(/\* Somebody in this room is called ada already\.\n$/)
  })

  it("answers wrong arguments with one sentence", async () => {
    const wrong: readonly (readonly string[])[] = [
      [],
      ["--room", "lobby", "--name", "ada", "--colour", "red"],
      ["--room", "lobby", "--name", "a\u202eb"],
      ["--room", "lobby", "--name", "ada", "--url", "localhost"],
      ["--room", "lobby", "--name", "ada", "--url", "http://localhost"],
    ]
    const exits = await Promise.all(wrong.map((args) => startProgram(TERMINAL, args).exited()))
    for (const { code, stdout, stderr } of exits) {
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
      expect(stderr).toMatch(
        /^Usage: npm run demo:client -- --room <room> --name <name> \[--url .+\] \(.+\)\n$/,
      )
    }
  })
})
