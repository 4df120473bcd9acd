import { describe, expect, it } from "vitest"
import { silentLogger } from "../../../src/core/logger.js"
import { systemClock } from "../../../src/core/timer.js"
import { binary, json, text } from "../../../src/wire/codec.js"
import { randomId, resolveConnection } from "../../../src/wire/connection-options.js"

describe("resolveConnection", () => {
  it("has the documented defaults", () => {
    expect(resolveConnection({})).toMatchObject({
      maxBufferedBytes: 1_048_576,
      overflow: "close",
      writeTimeoutMs: 10_000,
      flush: "tick",
      concurrency: 16,
      closeTimeoutMs: 5_000,
      sendTimeoutMs: 5_000,
      literalPing: { ping: "ping", pong: "pong" },
      onDecodeError: undefined,
      onLag: undefined,
      clock: systemClock,
    })
  })

  it("S11 gives the same settings, and so one flusher, to all who pass the same object", () => {
    const options = { concurrency: 4 }
    expect(resolveConnection(options)).toBe(resolveConnection(options))
    expect(resolveConnection({ concurrency: 4 }).flusher).not.toBe(resolveConnection(options).flusher)
  })

  it("takes undefined for not given", () => {
    expect(resolveConnection({ concurrency: undefined, codec: undefined, logger: undefined })).toMatchObject({
      concurrency: 16,
      codec: { literalPing: json().literalPing },
    })
  })

  it("takes false for no logger", () => {
    expect(resolveConnection({ logger: false }).logger).toBe(silentLogger)
  })

  it("S34 takes the literal ping from the codec, unless it is given or off", () => {
    const words = { ping: "?", pong: "!" }
    expect(resolveConnection({ codec: text() }).literalPing).toBe(false)
    expect(resolveConnection({ codec: binary() }).literalPing).toBe(false)
    expect(resolveConnection({ codec: text(), literalPing: words }).literalPing).toEqual(words)
    expect(resolveConnection({ literalPing: words }).literalPing).toEqual(words)
    expect(resolveConnection({ literalPing: false }).literalPing).toBe(false)
  })

  it.each([
    [{ concurrency: 0 }, /^connection\.concurrency .* received 0$/],
    [{ concurrency: 1.5 }, /^connection\.concurrency .* received 1\.5$/],
    [{ closeTimeoutMs: Number.POSITIVE_INFINITY }, /^connection\.closeTimeoutMs .* received Infinity$/],
    [{ sendTimeoutMs: Number.NaN }, /^connection\.sendTimeoutMs .* received NaN$/],
    [{ maxBufferedBytes: -1 }, /^connection\.maxBufferedBytes .* received -1$/],
    [{ overflow: "latests" }, /^connection\.overflow .* received "latests"$/],
    [{ codec: {} }, /^connection\.codec .* received \[object Object\]$/],
    [{ codec: null }, /^connection\.codec .* received null$/],
    [{ literalPing: true }, /^connection\.literalPing .* received true$/],
    [{ literalPing: null }, /^connection\.literalPing .* received null$/],
    [{ literalPing: { ping: "x", pong: "x" } }, /^connection\.literalPing .* two different strings/],
    [{ onLag: "notice" }, /^connection\.onLag .* received "notice"$/],
    [{ onDecodeError: {} }, /^connection\.onDecodeError .* received \[object Object\]$/],
    [{ logger: {} }, /^logger .* received \[object Object\]$/],
    [{ maxBufferBytes: 5 }, /^connection\.maxBufferBytes must be one of .*maxBufferedBytes/],
    [null, /^connection must be an object, received null$/],
    [5, /^connection must be an object, received 5$/],
  ])("refuses %o", (options, message) => {
    expect(() => resolveConnection(options as never)).toThrow(message)
    expect(() => resolveConnection(options as never)).toThrow(TypeError)
  })
})

describe("randomId", () => {
  it("S1 is 128 random bits in hexadecimal", () => {
    const ids = Array.from({ length: 1_000 }, randomId)
    expect(new Set(ids).size).toBe(1_000)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/)
  })
})
