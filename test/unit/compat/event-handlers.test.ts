import { describe, expect, it } from "vitest"
import { fakeSocket, openSocket } from "../../support/compat-fake.js"

const NAMES = ["onopen", "onmessage", "onerror", "onclose"] as const

describe("C39 an on… handler", () => {
  it.each(NAMES)("C39 %s is null until it is set, and takes functions only", (name) => {
    const { socket } = fakeSocket({ startClosed: true })
    const handler = () => {}
    expect(socket[name]).toBeNull()
    socket[name] = handler
    expect(socket[name]).toBe(handler)
    for (const none of [undefined, 7, "handler", { handleEvent: handler }]) {
      socket[name] = handler
      Reflect.set(socket, name, none)
      expect(socket[name]).toBeNull()
    }
  })

  it("C39 is called in its place among the listeners; another handler takes over that place, null gives it up", async () => {
    const { socket, network } = await openSocket()
    const calls: string[] = []
    const says = (name: string) => () => void calls.push(name)
    const said = (): string[] => {
      network.last.deliver("x")
      return calls.splice(0)
    }
    socket.addEventListener("message", says("first"))
    socket.onmessage = says("handler")
    socket.addEventListener("message", says("last"))
    expect(said()).toEqual(["first", "handler", "last"])
    socket.onmessage = says("other")
    expect(said()).toEqual(["first", "other", "last"])
    socket.onmessage = null
    expect(said()).toEqual(["first", "last"])
    socket.onmessage = says("new")
    expect(said()).toEqual(["first", "last", "new"])
  })

  it("C39 is called with the socket as this, and the event as its only argument", async () => {
    const { socket, network } = await openSocket()
    const calls: unknown[][] = []
    socket.onmessage = function (this: unknown, ...args: unknown[]) {
      calls.push([this, ...args])
    }
    network.last.deliver("x")
    expect(calls).toEqual([[socket, expect.objectContaining({ type: "message", target: socket, data: "x" })]])
    socket.close()
  })

  it("C39 may be the same function as a listener, and is called beside it", async () => {
    const { socket, network } = await openSocket()
    let calls = 0
    const count = () => {
      calls += 1
    }
    socket.addEventListener("message", count)
    socket.addEventListener("message", count)
    socket.onmessage = count
    network.last.deliver("x")
    expect(calls).toBe(2)
    socket.removeEventListener("message", count)
    network.last.deliver("x")
    expect(calls).toBe(3)
  })
})

describe("C39 a listener", () => {
  it("C39 may be an object, may want one event only, and may end with a signal", async () => {
    const { socket, network } = await openSocket()
    const calls: string[] = []
    const abort = new AbortController()
    socket.addEventListener("message", { handleEvent: ({ data }) => calls.push(`object ${data}`) })
    socket.addEventListener("message", ({ data }) => calls.push(`once ${data}`), { once: true })
    socket.addEventListener("message", ({ data }) => calls.push(`signal ${data}`), { signal: abort.signal })
    network.last.deliver("1")
    abort.abort()
    network.last.deliver("2")
    expect(calls).toEqual(["object 1", "once 1", "signal 1", "object 2"])
  })

  it("C39 hears what the application dispatches itself", () => {
    const { socket, lines } = fakeSocket({ startClosed: true })
    socket.dispatchEvent(new MessageEvent("message", { data: "mine" }))
    expect(lines).toEqual(["message mine"])
  })
})
