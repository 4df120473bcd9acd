import { ReconnectingClient } from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it, vi } from "vitest"
import { fakeClient, openClient } from "../../support/client-fake.js"
import { RecordingLogger } from "../../support/recording-logger.js"

vi.mock("isomorphic-ws", () => ({ default: null }))

const bug = new Error("a bug in a listener")
const fail = () => {
  throw bug
}

describe("a listener that throws", () => {
  it("C34 on every event stops neither the loop nor the flush nor the other listeners", async () => {
    const logger = new RecordingLogger()
    const { client, clock, network } = fakeClient({ logger, queue: { maxMessages: 2 } })
    for (const event of ["state", "message", "error", "dropped", "pong", "end"] as const)
      client.on(event, fail)
    const heard: string[] = []
    client.on("message", ({ data }) => heard.push(data))
    client.on("end", ({ cause }) => heard.push(cause))
    for (const message of ["one", "two", "three"]) client.send(message)
    await clock.advance(1)
    expect(network.received).toEqual(["one", "two"])
    network.last.deliver("hello")
    network.last.cut()
    await clock.advance(1_050)
    expect(client.state).toBe("open")
    network.last.deliver("again")
    await Promise.all([client.close(), clock.advance(1)])
    expect(heard).toEqual(["hello", "again", "closed"])
    expect(logger.lines.filter(({ level }) => level === "error").length).toBeGreaterThan(0)
  })

  it("C34 is told as an error event, and an async one that rejects too", async () => {
    const { client, network, log } = await openClient()
    client.on("message", fail)
    client.on("message", async () => fail())
    network.last.deliver("hello")
    await new VirtualClock().advance(1)
    expect(log.errors).toEqual([
      { error: bug, stage: "listener" },
      { error: bug, stage: "listener" },
    ])
    expect(client.state).toBe("open")
  })

  it("C34 added while an event is told hears the next, and one that was removed hears no more", async () => {
    const { client, network } = await openClient()
    const heard: string[] = []
    const off = client.on("message", () => {
      off()
      client.on("message", ({ data }) => heard.push(data))
    })
    network.last.deliver("one")
    network.last.deliver("two")
    expect(heard).toEqual(["two"])
  })
})

describe("what nobody listens to", () => {
  it("C34 is logged: a fault of the network in detail only, a fault of the program as an error", async () => {
    const logger = new RecordingLogger()
    const { client, clock, network } = await openClient({ logger })
    const other = await openClient({ logger, onOpen: () => Promise.reject(bug) }).catch(() => undefined)
    expect(other).toBeUndefined()
    const quiet = new ReconnectingClient("ws://far.example/", { clock, WebSocket: network.WebSocket, logger })
    await clock.advance(1)
    network.last.deliver("no json")
    quiet.on("message", fail)
    network.last.deliver("{}")
    const levels = logger.lines.map(({ level, fields }) => [level, fields.stage])
    expect(levels).toContainEqual(["debug", "decode"])
    expect(levels).toContainEqual(["error", "listener"])
    void client.close()
    void quiet.close()
  })
})

describe("a platform without WebSocket", () => {
  it("C34 is one end with cause config, and no retry", async () => {
    const clock = new VirtualClock()
    const client = new ReconnectingClient("ws://far.example/", { clock, logger: false })
    const ends: unknown[] = []
    client.on("end", (end) => ends.push(end))
    await clock.advance(3_600_000)
    expect(ends).toMatchObject([{ cause: "config", error: { code: "NO_WEBSOCKET" } }])
    expect(clock.pending).toBe(0)
  })

  it("C34 does not matter where one is given", async () => {
    const { client } = await openClient()
    expect(client.state).toBe("open")
  })
})
