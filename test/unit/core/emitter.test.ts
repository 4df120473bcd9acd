import { describe, expect, it, vi } from "vitest"
import { Emitter, type ErrorEvent } from "../../../src/core/emitter.js"
import { InvalidOptionError } from "../../../src/core/errors.js"
import { RecordingLogger } from "../../support/recording-logger.js"

interface Events {
  news: number
  other: string
  error: ErrorEvent
}

class Station extends Emitter<Events> {
  readonly pending: unknown[] = []
  readonly done: unknown[] = []
  say = this.emit
  fail = this.raise
  clear = this.removeAllListeners

  protected override listenerPending(event: PropertyKey, payload: unknown): () => void {
    this.pending.push([event, payload])
    return () => this.done.push([event, payload])
  }
}

function setUp() {
  const logger = new RecordingLogger()
  const station = new Station(logger)
  const heard: string[] = []
  const note = (name: string) => (payload: number) => {
    heard.push(`${name}${payload}`)
  }
  return { logger, station, heard, note }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

describe("Emitter", () => {
  it("calls listeners in the order they were added, with the payload", () => {
    const { station, heard, note } = setUp()
    for (const name of ["a", "b", "c"]) station.on("news", note(name))
    expect(station.say("news", 1)).toBe(true)
    expect(heard).toEqual(["a1", "b1", "c1"])
  })

  it("says whether anybody listened", () => {
    const { station, note } = setUp()
    expect(station.say("news", 1)).toBe(false)
    station.on("other", () => {})
    expect(station.say("news", 1)).toBe(false)
    const undo = station.on("news", note("a"))
    undo()
    expect(station.say("news", 1)).toBe(false)
  })

  // it was taken, and the error came with the first event, where nobody looked for it
  it.each([undefined, null, "listen", {}, { handleEvent: () => {} }])(
    "refuses %j as a listener",
    (listener) => {
      const { station, logger } = setUp()
      for (const add of [station.on.bind(station), station.once.bind(station)]) {
        expect(() => add("news", listener as never)).toThrow(InvalidOptionError)
        expect(() => add("news", listener as never)).toThrow(/^listener must be a function, received /)
      }
      expect(() => station.off("news", listener as never)).not.toThrow()
      expect([station.listenerCount("news"), station.say("news", 1), logger.lines]).toEqual([0, false, []])
    },
  )

  it("undoes its own subscription only, and once", () => {
    const { station, heard, note } = setUp()
    const listener = note("a")
    const undo = station.on("news", listener)
    station.on("news", listener)
    undo()
    undo()
    expect(station.listenerCount("news")).toBe(1)
    station.say("news", 1)
    expect(heard).toEqual(["a1"])
  })

  it("removes a listener by itself, the oldest one first", () => {
    const { station, heard, note } = setUp()
    const listener = note("a")
    station.on("news", listener)
    station.on("news", note("b"))
    station.on("news", listener)
    station.off("news", listener)
    station.off("other", listener as never)
    station.say("news", 1)
    expect(heard).toEqual(["b1", "a1"])
  })

  it("ignores the removal of a listener that was never added", () => {
    const { station } = setUp()
    station.off("news", () => {})
    station.on("news", () => {})
    station.off("news", () => {})
    expect(station.listenerCount("news")).toBe(1)
  })

  it("calls a listener once that asked for one occurrence", () => {
    const { station, heard, note } = setUp()
    station.once("news", note("a"))
    station.say("news", 1)
    station.say("news", 2)
    expect(heard).toEqual(["a1"])
    expect(station.listenerCount("news")).toBe(0)
  })

  it("calls a once-listener once even when it emits the same event", () => {
    const { station, heard } = setUp()
    station.once("news", (payload) => {
      heard.push(`a${payload}`)
      station.say("news", payload + 1)
    })
    station.say("news", 1)
    expect(heard).toEqual(["a1"])
  })

  it("keeps a permanent listener apart from the same function added for once", () => {
    const { station, heard, note } = setUp()
    const listener = note("a")
    station.on("news", listener)
    station.once("news", listener)
    for (const n of [1, 2, 3]) station.say("news", n)
    expect(heard).toEqual(["a1", "a1", "a2", "a3"])
  })

  it("lets a once-listener be taken back before it ran", () => {
    const { station, heard, note } = setUp()
    const listener = note("b")
    station.once("news", note("a"))()
    station.once("news", listener)
    station.off("news", listener)
    station.say("news", 1)
    expect(heard).toEqual([])
  })

  it("does not run a listener that was removed during its own emit", () => {
    const { station, heard, note } = setUp()
    station.on("news", () => undoLater())
    const undoLater = station.on("news", note("b"))
    station.on("news", note("c"))
    station.say("news", 1)
    expect(heard).toEqual(["c1"])
  })

  it("runs the listeners after one that removes itself", () => {
    const { station, heard, note } = setUp()
    const undo = station.on("news", (): void => undo())
    station.on("news", note("b"))
    station.say("news", 1)
    expect(heard).toEqual(["b1"])
  })

  it("calls a listener that was added during an emit from the next one on", () => {
    const { station, heard, note } = setUp()
    const undo = station.on("news", () => {
      station.on("news", note("late"))
      undo()
    })
    station.on("news", note("b"))
    station.say("news", 1)
    expect(heard).toEqual(["b1"])
    station.say("news", 2)
    expect(heard).toEqual(["b1", "b2", "late2"])
  })

  it("stops at once when everything is removed", () => {
    const { station, heard, note } = setUp()
    station.on("news", () => station.clear())
    station.on("news", note("b"))
    station.say("news", 1)
    expect(heard).toEqual([])
    expect(station.listenerCount("news")).toBe(0)
    station.on("news", note("c"))
    station.say("news", 2)
    expect(heard).toEqual(["c2"])
  })
})

describe("a listener that fails", () => {
  const failure = new Error("listener failed")
  const failing = {
    throws: () => {
      throw failure
    },
    "returns a rejected promise": () => Promise.reject(failure),
    "returns a foreign promise whose then throws": () => ({
      // biome-ignore lint/suspicious/noThenProperty: promises of other makes are the point
      then() {
        throw failure
      },
    }),
  }

  it.each(Object.entries(failing))("and %s stops nobody else, and is an error event", async (_, listener) => {
    const { station, heard, note, logger } = setUp()
    const errors: ErrorEvent[] = []
    station.on("error", (event) => void errors.push(event))
    station.on("news", listener)
    station.on("news", note("b"))
    expect(station.say("news", 1)).toBe(true)
    expect(heard).toEqual(["b1"])
    await settled()
    expect(errors).toEqual([{ error: failure, stage: "listener" }])
    expect(logger.lines).toEqual([])
  })

  it.each(Object.entries(failing))(
    "and %s without an error listener reaches the logger",
    async (_, listener) => {
      const { station, logger } = setUp()
      station.on("news", listener)
      station.say("news", 1)
      await settled()
      expect(logger.lines).toMatchObject([{ level: "error", fields: { err: failure, stage: "listener" } }])
    },
  )

  it.each(Object.entries(failing))("on error and %s is logged, and does not recurse", async (_, listener) => {
    const { station, logger } = setUp()
    const others = vi.fn()
    station.on("error", listener)
    station.on("error", others)
    station.fail({ error: new Error("first"), stage: "socket" })
    await settled()
    expect(others).toHaveBeenCalledOnce()
    expect(logger.lines).toMatchObject([{ level: "error", fields: { err: failure, stage: "listener" } }])
  })

  it("is watched until its promise settles, either way, and exactly once", async () => {
    const { station } = setUp()
    station.on("error", () => {})
    for (const listener of Object.values(failing).slice(1)) station.on("news", listener)
    station.on("news", async () => {})
    station.on("news", () => {})
    station.say("news", 1)
    expect(station.pending).toHaveLength(3)
    expect(station.done).toHaveLength(0)
    await settled()
    expect(station.done).toEqual(station.pending)
  })

  it("is no reason for an unheard error to be thrown", () => {
    const { station, logger } = setUp()
    const error = new Error("nobody listens")
    station.fail({ error, stage: "decode" })
    expect(logger.lines).toEqual([
      { level: "error", fields: { err: error, stage: "decode" }, message: expect.any(String) },
    ])
  })
})
