import { CodecError, type HubOptions, json, type Logger } from "holdfast"
import { describe, expect, it, vi } from "vitest"
import { RecordingAdapter } from "../../support/recording-adapter.js"
import { stubHub } from "../../support/stub-hub.js"

const oops = new Error("oops")

function fail(): never {
  throw oops
}

/** A hub that decodes JSON, with one connection. */
function jsonHub(options: Partial<HubOptions<string, string>> = {}) {
  const it = stubHub({ codec: json(), ...options })
  return { ...it, ...it.add("a") }
}

describe("an error of a connection", () => {
  it("goes to the connection's listeners, and then not to the hub's", () => {
    const { hub, connection, socket } = jsonHub()
    const [onConnection, onHub] = [vi.fn(), vi.fn()]
    connection.on("error", onConnection)
    hub.on("error", onHub)
    socket.emit("error", oops)
    expect(onConnection).toHaveBeenCalledExactlyOnceWith({ error: oops, stage: "socket" })
    expect(onHub).not.toHaveBeenCalled()
  })

  it("goes to the hub, with the connection, where nobody listens on the connection", () => {
    const { hub, connection, socket } = jsonHub()
    const onHub = vi.fn()
    hub.on("error", onHub)
    socket.emit("error", oops)
    socket.receive("no JSON")
    expect(onHub.mock.calls).toEqual([
      [{ error: oops, stage: "socket", connection }],
      [{ error: expect.any(CodecError), stage: "decode", connection }],
    ])
    expect(connection.state).toBe("open")
  })
})

describe("S5: a listener that throws or rejects", () => {
  it.each([
    ["throws", fail],
    ["rejects", async () => fail()],
  ])(
    "stops nobody when it %s: an error event with stage listener and the connection",
    async (_how, listener) => {
      const { hub, connection, socket, add, flush } = jsonHub()
      const errors: unknown[] = []
      const heard: unknown[] = []
      hub.on("error", (event) => errors.push(event))
      hub.on("message", listener)
      hub.on("message", ({ data }) => heard.push(data))
      connection.on("message", listener)
      socket.receive("1")
      await flush()
      socket.receive("2")
      await flush()
      const other = add("b")
      other.socket.receive("3")
      await flush()
      expect(heard).toEqual([1, 2, 3])
      expect(errors).toEqual(
        [connection, connection, connection, connection, other.connection].map((it) => ({
          error: oops,
          stage: "listener",
          connection: it,
        })),
      )
      expect([hub.size, connection.state]).toEqual([2, "open"])
    },
  )

  it.each(["connection", "close", "join", "leave", "lagged"] as const)(
    "of %s is reported with the connection, and nothing is left half done",
    (event) => {
      const { hub, add } = stubHub({ maxBufferedBytes: 10, overflow: "drop-newest" })
      const errors: unknown[] = []
      hub.on("error", ({ error, stage, connection }) => errors.push([error, stage, connection?.id]))
      hub.on(event, fail)
      const { socket } = add("a", "r")
      hub.broadcast("longer than ten bytes")
      expect(hub.members("r").size).toBe(1)
      socket.end()
      expect(errors).toEqual([[oops, "listener", "a"]])
      expect([hub.size, hub.members("r").size]).toEqual([0, 0])
    },
  )

  it("of an event without a connection is reported without one", () => {
    const { hub, add } = stubHub()
    const errors: unknown[] = []
    hub.on("error", (event) => errors.push(event))
    hub.on("room-created", fail)
    add("a", "r")
    expect(errors).toEqual([{ error: oops, stage: "listener", connection: undefined }])
  })

  it("of error itself goes to the logger and calls nobody again", () => {
    const logger = loggerSpy()
    const { hub, socket } = jsonHub({ logger })
    hub.on("error", fail)
    socket.emit("error", new Error("first"))
    expect(logger.error).toHaveBeenCalledExactlyOnceWith(
      { err: oops, stage: "listener" },
      "an error listener threw",
    )
  })
})

describe("S6, S21: a callback that throws", () => {
  it("onDecodeError is an error event, and the connection lives on", () => {
    const { hub, connection, socket } = jsonHub({ onDecodeError: fail })
    const stages: string[] = []
    hub.on("error", ({ stage }) => stages.push(stage))
    socket.receive("no JSON")
    expect(stages).toEqual(["decode", "listener"])
    expect(connection.state).toBe("open")
  })

  it("onLag is an error event, and the other receivers get the message", async () => {
    const { hub, add, flush } = stubHub({ maxBufferedBytes: 8, overflow: "drop-newest", onLag: fail })
    const [a, b] = [add("a"), add("b")]
    const stages: string[] = []
    hub.on("error", ({ stage }) => stages.push(stage))
    a.connection.send("6 byte")
    hub.broadcast("6 byte")
    await flush()
    expect([a.received(), b.received()]).toEqual([["6 byte", "6 byte"], ["6 byte"]])
    hub.broadcast("longer than eight bytes")
    expect(stages).toEqual(["listener", "listener"])
  })
})

describe("S54: an error that nobody listens to is logged", () => {
  const cases: [string, "debug" | "error", (peer: ReturnType<typeof jsonHub>) => void][] = [
    ["decode", "debug", ({ socket }) => socket.receive("no JSON")],
    ["socket", "debug", ({ socket }) => socket.emit("error", oops)],
    [
      "listener",
      "error",
      ({ hub, socket }) => {
        hub.on("message", fail)
        socket.receive("1")
      },
    ],
    [
      "listener",
      "error",
      ({ connection, socket }) => {
        connection.on("message", fail)
        socket.receive("1")
      },
    ],
  ]

  it.each(cases)(
    "of stage %s at %s, with the connection's id and without the payload",
    (stage, level, act) => {
      const logger = loggerSpy()
      act(jsonHub({ logger }))
      // the message of a codec's error quotes what it is about
      const what = stage === "decode" ? { code: "DECODE_FAILED" } : { err: oops }
      const fields = { event: "error", stage, connectionId: "a", correlationId: "a", ...what }
      expect(logger[level]).toHaveBeenCalledExactlyOnceWith(fields, "an error that nobody listens to")
      for (const other of FAULTS) if (other !== level) expect(logger[other]).not.toHaveBeenCalled()
    },
  )

  it("of stage adapter at error, with no connection's id", async () => {
    const logger = loggerSpy()
    const { hub } = stubHub({ logger, adapter: new RecordingAdapter({ connect: fail }) })
    await expect(hub.ready).rejects.toBe(oops)
    expect(logger.error).toHaveBeenCalledExactlyOnceWith(
      { event: "error", stage: "adapter", err: oops },
      "an error that nobody listens to",
    )
  })

  it("and not at all once somebody listens", () => {
    const logger = loggerSpy()
    const { hub, socket } = jsonHub({ logger })
    hub.on("error", () => {})
    socket.receive("no JSON")
    for (const level of FAULTS) expect(logger[level]).not.toHaveBeenCalled()
  })

  it("warnings and errors to the console by default, peers' faults to nobody", () => {
    const consoleError = vi.spyOn(console, "error").mockImplementation(() => {})
    const { hub, socket } = jsonHub({ logger: undefined as never })
    socket.receive("no JSON")
    expect(consoleError).not.toHaveBeenCalled()
    hub.on("message", fail)
    socket.receive("1")
    expect(consoleError).toHaveBeenCalledOnce()
  })
})

/** The levels that are not the story of a connection. */
const FAULTS = ["debug", "warn", "error"] as const

function loggerSpy() {
  return { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() } satisfies Logger
}
