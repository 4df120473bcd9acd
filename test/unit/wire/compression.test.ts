import { describe, expect, it, vi } from "vitest"
import { resolveCompression } from "../../../src/wire/compression.js"

const DEFAULTS = { thresholdBytes: 1_024, offloadBytes: 16_384, level: 6, maxWindowBits: 15 }

describe("resolveCompression", () => {
  it('S13 takes "shared" for the documented defaults, and false for none', () => {
    expect(resolveCompression("hub.compression", "shared")).toEqual(DEFAULTS)
    expect(resolveCompression("hub.compression", {})).toEqual(DEFAULTS)
    expect(resolveCompression("hub.compression", false)).toBe(false)
  })

  it("takes what is given, and the defaults for the rest", () => {
    const given = { level: 1, offloadBytes: 100_000, thresholdBytes: undefined }
    expect(resolveCompression("hub.compression", given)).toEqual({
      ...DEFAULTS,
      level: 1,
      offloadBytes: 100_000,
    })
  })

  it.each([
    [true, /^hub\.compression must be an object, received true$/],
    [null, /^hub\.compression must be an object, received null$/],
    ["on", /^hub\.compression must be "shared", an object or false, received "on"$/],
    [{ threshold: 1 }, /^hub\.compression\.threshold must be one of thresholdBytes/],
    [{ thresholdBytes: 0 }, /^hub\.compression\.thresholdBytes .* received 0$/],
    [{ offloadBytes: 0.5 }, /^hub\.compression\.offloadBytes .* received 0\.5$/],
    [{ level: 0 }, /^hub\.compression\.level .* received 0$/],
    [{ level: 10 }, /^hub\.compression\.level .* received 10$/],
    [{ level: 5.5 }, /^hub\.compression\.level .* received 5\.5$/],
    [{ maxWindowBits: 8 }, /^hub\.compression\.maxWindowBits .* received 8$/],
    [{ maxWindowBits: 16 }, /^hub\.compression\.maxWindowBits .* received 16$/],
  ])("refuses %o", (given, message) => {
    expect(() => resolveCompression("hub.compression", given as never)).toThrow(message)
  })

  it("refuses to begin where the platform has no zlib", () => {
    vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never)
    expect(() => resolveCompression("hub.compression", "shared")).toThrow(/Node 20\.16/)
    expect(resolveCompression("hub.compression", false)).toBe(false)
  })
})
