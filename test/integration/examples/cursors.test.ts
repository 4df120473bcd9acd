import { describe, expect, it, onTestFinished } from "vitest"
import { startCursors } from "../../../examples/cursors/cursors-server.js"
import type { FromServer, Look } from "../../../examples/cursors/protocol.js"
import { connect } from "../../support/ws-server.js"

/** One of the people, who is nothing but a WebSocket that speaks JSON. */
async function enter(url: string) {
  const client = await connect(url)
  const heard: FromServer[] = []
  const looks = new Map<string, Look>()
  /** Listens until something is so. */
  const until = async (holds: () => boolean) => {
    while (!holds()) {
      const message = JSON.parse(String(await client.next())) as FromServer
      heard.push(message)
      if (message.type === "present") for (const { key, meta } of message.members) looks.set(key, meta)
      if (message.type !== "presence") continue
      for (const { key, meta } of [...message.joined, ...message.updated]) looks.set(key, meta)
      for (const { key } of message.left) looks.delete(key)
    }
  }
  return { client, heard, looks, until, send: (message: unknown) => client.send(JSON.stringify(message)) }
}

describe("examples/cursors", () => {
  it("joins many moves into few messages, and refuses what is off the board", async () => {
    const cursors = await startCursors()
    onTestFinished(() => cursors[Symbol.asyncDispose]())
    const url = `${cursors.url.replace("http", "ws")}/ws/lobby`
    const ada = await enter(url)
    const bob = await enter(url)
    const names = (looks: Map<string, Look>) => [...looks.values()].map(({ name }) => name).sort()
    await ada.until(() => ada.looks.size === 2)
    await bob.until(() => bob.looks.size === 2)
    expect(names(ada.looks)).toEqual(["Guest 1", "Guest 2"])

    for (let i = 1; i <= 200; i += 1) bob.send({ type: "move", x: i / 200, y: 0.5 })
    const before = ada.heard.length
    await ada.until(() => [...ada.looks.values()].some(({ at }) => at?.x === 1))
    expect(ada.heard.length - before).toBeLessThan(100)

    bob.send({ type: "move", x: 2, y: 0 })
    bob.send({ type: "name", name: "  " })
    const refusals = () => bob.heard.filter(({ type }) => type === "error")
    await bob.until(() => refusals().length === 2)
    expect(refusals()).toMatchObject([{ code: "INVALID_MESSAGE" }, { code: "INVALID_MESSAGE" }])
    bob.send({ type: "sync" })
    const present = () => bob.heard.filter(({ type }) => type === "present").length
    await bob.until(() => present() === 2)
    await bob.client.close()
    await ada.until(() => ada.looks.size === 1)
  })
})
