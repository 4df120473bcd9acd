import { setImmediate as turn } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import { stubHub } from "../../support/stub-hub.js"

describe("S5: messages that come before anybody listens", () => {
  it("go to hub.on(message) once it is there, in order and each with its connection", async () => {
    const { hub, add } = stubHub()
    const [a, b] = [add("a"), add("b")]
    for (const word of ["one", "two"]) a.socket.receive(word)
    b.socket.receive("three")
    const heard: string[] = []
    hub.on("message", ({ connection, data }) => heard.push(`${connection.id} ${data}`))
    expect(heard).toEqual([])
    await turn()
    a.socket.receive("four")
    expect(heard).toEqual(["a one", "a two", "b three", "a four"])
  })

  it("wait on where what listens is no function", async () => {
    const { hub, add } = stubHub()
    const { socket } = add()
    socket.receive("one")
    expect(() => hub.on("message", undefined as never)).toThrow(
      "listener must be a function, received undefined",
    )
    const heard: string[] = []
    hub.on("message", ({ data }) => heard.push(data))
    await turn()
    expect(heard).toEqual(["one"])
  })

  it("go to hub.once(message) one at a time", async () => {
    const { hub, add } = stubHub()
    const { socket } = add()
    for (const word of ["one", "two"]) socket.receive(word)
    const heard: string[] = []
    for (let i = 0; i < 3; i += 1) {
      hub.once("message", ({ data }) => heard.push(data))
      await turn()
    }
    expect(heard).toEqual(["one", "two"])
    socket.receive("three")
    expect(heard).toEqual(["one", "two", "three"])
  })

  it("go to everybody who begins to listen in the same turn", async () => {
    const { hub, add } = stubHub()
    const { connection, socket } = add()
    socket.receive("one")
    const heard: string[] = []
    connection.on("message", ({ data }) => heard.push(`connection ${data}`))
    hub.on("message", ({ data }) => heard.push(`hub ${data}`))
    await turn()
    expect(heard).toEqual(["connection one", "hub one"])
  })

  it("are kept to a bound: reading pauses, and resumes when somebody listens", async () => {
    const { hub, add } = stubHub({ concurrency: 4 })
    const { socket } = add()
    for (let i = 0; i < 4; i += 1) socket.receive(String(i))
    expect(socket.isPaused).toBe(true)
    const heard: string[] = []
    hub.on("message", ({ data }) => heard.push(data))
    await turn()
    expect(heard).toEqual(["0", "1", "2", "3"])
    expect(socket.isPaused).toBe(false)
  })
})

describe("S5: async handlers of hub.on(message)", () => {
  /** Handlers that end when told to, and how many of each connection are at work. */
  function heldHandlers(concurrency: number) {
    const { hub, add } = stubHub({ concurrency })
    const started: string[] = []
    const atWork = new Map<string, (() => void)[]>()
    hub.on("message", ({ connection, data }) => {
      started.push(data)
      return new Promise<void>((resolve) => {
        atWork.set(connection.id, [...(atWork.get(connection.id) ?? []), resolve])
      })
    })
    const finishOne = async (id: string) => {
      atWork.get(id)?.shift()?.()
      await turn()
    }
    return { add, started, finishOne }
  }

  it("are at most `concurrency` for each connection; others are not held up", async () => {
    const { add, started, finishOne } = heldHandlers(2)
    const [a, b] = [add("a"), add("b")]
    for (const word of ["a1", "a2", "a3", "a4"]) a.socket.receive(word)
    expect(started).toEqual(["a1", "a2"])
    expect([a.socket.isPaused, b.socket.isPaused]).toEqual([true, false])
    b.socket.receive("b1")
    expect(started).toEqual(["a1", "a2", "b1"])
    await finishOne("a")
    expect(started).toEqual(["a1", "a2", "b1", "a3"])
    await finishOne("a")
    expect(started).toEqual(["a1", "a2", "b1", "a3", "a4"])
    expect(a.socket.isPaused).toBe(true)
    await finishOne("a")
    expect(a.socket.isPaused).toBe(false)
  })

  it("that reject make room as well", async () => {
    const { hub, add } = stubHub({ concurrency: 1 })
    const heard: string[] = []
    hub.on("message", async ({ data }) => {
      heard.push(data)
      throw new Error(data)
    })
    const { socket } = add()
    for (const word of ["one", "two", "three"]) socket.receive(word)
    await turn()
    expect(heard).toEqual(["one", "two", "three"])
    expect(socket.isPaused).toBe(false)
  })

  it("of a connection that ends meanwhile leave nothing behind", async () => {
    const { add, started, finishOne } = heldHandlers(1)
    const { socket, connection } = add("a")
    for (const word of ["one", "two"]) socket.receive(word)
    socket.end()
    await finishOne("a")
    expect(started).toEqual(["one", "two"])
    expect(connection.state).toBe("closed")
  })
})
