import { describe, expect, it } from "vitest"
import { startProgram } from "../../support/demo-process.js"
import { connect } from "../../support/ws-server.js"

const PROGRAM = "../test/support/adapters-primary-process.ts"

const inRoom = async (port: string | undefined) => {
  const client = await connect(`ws://127.0.0.1:${port}/`)
  const [, worker = ""] = /^joined at (\d+)$/.exec(String(await client.next())) ?? []
  return { client, worker }
}

// whoever waits for the end of a program waits for the ends of its workers too: they have its output
describe("R22: when the primary is killed with SIGKILL", () => {
  it("workers of node:cluster end at once, which is Node's way, and their clients see the line break", async () => {
    const program = startProgram(PROGRAM, ["cluster"])
    const [, port] = await program.line(/^listening on (\d+)$/)
    await program.line(/^listening on (\d+)$/)
    const { client } = await inRoom(port)
    const end = client.closed()
    program.signal("SIGKILL")
    expect((await end).code).toBe(1006)
    expect(await program.exited()).toMatchObject({ code: null, stderr: "" })
  }, 60_000)

  it("workers of node:cluster that are told to stay say goodbye to their clients and end in time", async () => {
    const program = startProgram("cluster/workers.ts", [], { PORT: "0" })
    const [, address = ""] = await program.line(/-c (ws:\S+)/)
    const clients = await Promise.all([connect(address), connect(address)])
    for (const it of clients) expect(String(await it.next())).toContain("you are in the lobby")
    const ends = clients.map((it) => it.closed())
    program.signal("SIGKILL")
    for (const { code } of await Promise.all(ends)) expect(code).toBe(1001)
    const { stdout, stderr } = await program.exited()
    expect(stdout).toMatch(/the way to the others is down/)
    expect(stderr).toMatch(/the primary is gone/)
  }, 60_000)

  it("forked workers go on, say that they are down, and serve their own clients", async () => {
    const program = startProgram(PROGRAM, ["fork"])
    const ports = [await program.line(/^listening on (\d+)$/), await program.line(/^listening on (\d+)$/)]
    const [a, b] = await Promise.all(ports.map(([, port]) => inRoom(port)))
    if (!a || !b) throw new Error("two clients")
    a.client.send("to all")
    expect(await Promise.all([a.client.next(), b.client.next()])).toEqual(["to all", "to all"])
    program.signal("SIGKILL")
    const down = await Promise.all([program.line(/^\d+ is down$/), program.line(/^\d+ is down$/)])
    expect(new Set(down.map(([line]) => line)).size).toBe(2)
    const { client } = await inRoom(ports[0]?.[1])
    a.client.send("to those who are here")
    expect(await Promise.all([a.client.next(), client.next()])).toEqual(
      Array(2).fill("to those who are here"),
    )
    await Promise.all([a.client, b.client, client].map((it) => it.close()))
    expect(await program.exited()).toMatchObject({ stderr: "" })
  }, 60_000)
})
