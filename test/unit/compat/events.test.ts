import { ConnectError } from "holdfast"
import { describe, expect, it, vi } from "vitest"
import { fakeSocket, openSocket } from "../../support/compat-fake.js"

/** The next event of that type. */
const next = (socket: EventTarget, type: string) =>
  new Promise<Event>((resolve) => {
    socket.addEventListener(type, resolve, { once: true })
  })

describe("C39 the events of a connection", () => {
  it("C39 come in the standard's order, with readyState as it says", async () => {
    const { socket, network, clock, lines } = fakeSocket()
    expect(socket.readyState).toBe(0)
    await clock.advance(0)
    network.last.deliver("hello")
    network.last.end(4000, "bye")
    expect(lines).toEqual(["open @1", "message hello", "close 4000 bye clean @3"])
    socket.close()
  })

  it("C39 tell of an attempt that failed: error, then close 1006, both when readyState is CLOSED", async () => {
    const { socket, network, clock, lines } = fakeSocket()
    network.onDial = (it) => it.refuse()
    const error = next(socket, "error")
    await clock.advance(0)
    expect(lines).toEqual([expect.stringMatching(/^error connect failed.* @3$/), "close 1006 - unclean @3"])
    expect(await error).toMatchObject({ error: expect.any(ConnectError) })
    socket.close()
  })

  it("C39 call a time-out TIMEOUT, as handlers that know the other libraries expect", async () => {
    const { socket, network, clock, lines } = fakeSocket({ connectionTimeout: 300 })
    network.onDial = () => {}
    await clock.advance(300)
    expect(lines).toEqual(["error TIMEOUT @3", "close 1006 - unclean @3"])
    socket.close()
  })

  it("C39 tell of a lost line without an error when the platform names none", async () => {
    const { socket, network, lines } = await openSocket()
    network.last.cut()
    expect(lines.slice(1)).toEqual(["close 1006 - unclean @3"])
    socket.close()
  })

  it("C39 carry data, and the origin of the server", async () => {
    const { socket, network } = await openSocket({ url: "https://far.example:8443/a?b" })
    const event = next(socket, "message")
    network.last.deliver("x")
    expect(await event).toBeInstanceOf(MessageEvent)
    expect(await event).toMatchObject({ data: "x", origin: "wss://far.example:8443", target: socket })
    socket.close()
  })

  it("C39 are of the platform's own classes where it has them", async () => {
    class CloseEvent extends Event {
      readonly code: number
      constructor(type: string, init: { code: number }) {
        super(type)
        this.code = init.code
      }
    }
    vi.stubGlobal("CloseEvent", CloseEvent)
    const { socket, network } = await openSocket()
    const event = next(socket, "close")
    network.last.end(4000)
    expect(await event).toBeInstanceOf(CloseEvent)
    socket.close()
  })

  it.each(["CloseEvent", "ErrorEvent", "MessageEvent"])("C39 do without the platform's %s", async (name) => {
    vi.stubGlobal(name, undefined)
    const { socket, network, clock, lines } = await openSocket()
    network.onDial = (it) => it.refuse()
    network.last.deliver("x")
    network.last.end(4000, "bye")
    await clock.advance(1_000)
    expect(lines.slice(1, 4)).toEqual([
      "message x",
      "close 4000 bye clean @3",
      expect.stringMatching(/^error connect failed/),
    ])
    socket.close()
  })
})

describe("C39 binary messages", () => {
  const BYTES = Uint8Array.of(1, 2, 3)

  it("C39 come as Blobs unless binaryType says otherwise, which outlives connections", async () => {
    const { socket, network, clock } = await openSocket()
    expect(socket.binaryType).toBe("blob")
    const blob = next(socket, "message")
    network.last.deliver(BYTES)
    const { data } = (await blob) as MessageEvent<Blob>
    expect(data).toBeInstanceOf(Blob)
    expect(new Uint8Array(await data.arrayBuffer())).toEqual(BYTES)

    socket.binaryType = "arraybuffer"
    network.last.cut()
    await clock.advance(1_000)
    const buffer = next(socket, "message")
    network.last.deliver(BYTES)
    expect(((await buffer) as MessageEvent).data).toEqual(BYTES.buffer)
    expect(socket.binaryType).toBe("arraybuffer")
    socket.close()
  })

  it("C39 ignore a binaryType that is none", async () => {
    const { socket } = await openSocket()
    Reflect.set(socket, "binaryType", "nodebuffer")
    expect(socket.binaryType).toBe("blob")
    socket.close()
  })
})
