import { ConnectionPool, InvalidOptionError } from "holdfast"
import { describe, expect, it, vi } from "vitest"
import { fakePool } from "../../support/pool-fake.js"

const URL = "ws://far.example/"

describe("options of a pool", () => {
  it.each([
    ["max", 0, "pool.max must be a whole number ≥ 1, received 0"],
    ["max", 1.5, "pool.max must be a whole number ≥ 1, received 1.5"],
    ["max", false, "pool.max must be a whole number ≥ 1, received false"],
    ["idleTimeoutMs", 0, "pool.idleTimeoutMs must be a number from 1 to 2147483647, received 0"],
    ["idleTimeoutMs", Number.POSITIVE_INFINITY, "received Infinity"],
    ["idleTimeoutMs", true, "received true"],
    ["acquireTimeoutMs", "5s", 'pool.acquireTimeoutMs must be a number from 1 to 2147483647, received "5s"'],
    ["maxAgeMs", -1, "pool.maxAgeMs must be a number from 1 to 2147483647, received -1"],
    ["connectTimeoutMs", 0, "pool.connectTimeoutMs must be a number from 1 to 2147483647, received 0"],
    ["closeTimeoutMs", 0, "pool.closeTimeoutMs must be a number from 1 to 2147483647, received 0"],
    ["backoff", { factor: 0 }, "pool.backoff.factor must be a finite number ≥ 1, received 0"],
    ["backoff", { floorMs: 20_000 }, "pool.backoff.floorMs must be a number from 0 to 10000, received 20000"],
    ["heartbeat", { intervalMs: 0 }, "pool.heartbeat.intervalMs must be"],
    ["heartbeat", true, "pool.heartbeat must be an object, received true"],
    ["idleMessages", "keep", 'pool.idleMessages must be one of "discard", "evict", received "keep"'],
    ["onOpen", "login", 'pool.onOpen must be a function, received "login"'],
    ["validate", true, "pool.validate must be a function, received true"],
    ["codec", {}, "pool.codec must be a codec with encode and decode, received [object Object]"],
    ["concurrency", 0, "pool.concurrency must be a whole number ≥ 1, received 0"],
    ["logger", {}, "logger must be false, or an object with debug, info, warn, error"],
    ["node", "agent", 'pool.node must be an object, received "agent"'],
    ["WebSocket", {}, "pool.WebSocket must be a function, received [object Object]"],
    ["signal", new AbortController().signal, "pool.signal must be left out"],
    ["maxSize", 5, 'received "maxSize"'],
  ])("C40 says what is wrong with %s: %o", (name, value, message) => {
    const make = () => new ConnectionPool(URL, { [name]: value })
    expect(make).toThrow(InvalidOptionError)
    expect(make).toThrow(message)
  })

  it.each([80, null, undefined, {}])("C40 says that %o is no address", (url) => {
    expect(() => new ConnectionPool(url as never)).toThrow("url must be a string, a URL or a function")
  })

  it.each([null, 7, "max"])("C40 says that %o is no object of options", (options) => {
    expect(() => new ConnectionPool(URL, options as never)).toThrow("pool must be an object")
  })

  it("C40 takes undefined for what was not given", () => {
    const { pool } = fakePool({
      max: undefined,
      idleTimeoutMs: undefined,
      acquireTimeoutMs: undefined,
      maxAgeMs: undefined,
      backoff: { initialMs: undefined, maxMs: undefined } as never,
      onOpen: undefined,
      concurrency: undefined,
    })
    expect(pool.size).toBe(0)
    expect(() => new ConnectionPool(URL, { signal: undefined } as never)).not.toThrow()
  })

  it("C40 refuses options of `ws` where the platform's own WebSocket is used", () => {
    class Native {}
    vi.stubGlobal("WebSocket", Native)
    const make = () => new ConnectionPool(URL, { WebSocket: Native as never, node: { headers: {} } })
    expect(make).toThrow("pool.node must be left out: this platform's own WebSocket takes no headers")
  })

  it.each([
    [{ timeoutMs: 0 }, "acquire.timeoutMs must be a number from 1 to 2147483647, received 0"],
    [{ signal: {} }, "acquire.signal must be an AbortSignal, received [object Object]"],
  ])("C40 checks what acquire is told: %o", async (options, message) => {
    const { pool, counts } = fakePool()
    await expect(pool.acquire(options as never)).rejects.toThrow(message)
    expect(counts).toEqual({ size: 0, idle: 0, leased: 0, waiting: 0 })
  })

  it("C40 checks the grace before anything is closed", async () => {
    const { pool } = fakePool()
    await expect(pool.close({ graceMs: -1 })).rejects.toThrow("close.graceMs must be")
    expect(pool.isClosing).toBe(false)
  })
})
