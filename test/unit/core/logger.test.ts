import { describe, expect, it, vi } from "vitest"
import {
  consoleLogger,
  defaultLogger,
  type Logger,
  resolveLogger,
  silentLogger,
} from "../../../src/core/logger.js"

const LEVELS = ["debug", "info", "warn", "error"] as const

function silenceConsole() {
  return Object.fromEntries(
    LEVELS.map((level) => [level, vi.spyOn(console, level).mockImplementation(() => {})]),
  ) as Record<(typeof LEVELS)[number], ReturnType<typeof vi.spyOn>>
}

function sayEverything(logger: Logger) {
  for (const level of LEVELS) logger[level]({ id: 1 }, level)
}

describe("loggers", () => {
  it("write every level to the console", () => {
    const spies = silenceConsole()
    sayEverything(consoleLogger)
    for (const level of LEVELS)
      expect(spies[level]).toHaveBeenCalledExactlyOnceWith(`[holdfast] ${level}`, { id: 1 })
  })

  it("write warnings and errors only, by default", () => {
    const spies = silenceConsole()
    sayEverything(defaultLogger)
    expect(LEVELS.map((level) => spies[level].mock.calls.length)).toEqual([0, 0, 1, 1])
  })

  it("write nothing when silent", () => {
    const spies = silenceConsole()
    sayEverything(silentLogger)
    for (const level of LEVELS) expect(spies[level]).not.toHaveBeenCalled()
  })
})

describe("resolveLogger", () => {
  it("takes false for silence, and nothing for the default", () => {
    expect(resolveLogger(false)).toBe(silentLogger)
    expect(resolveLogger(undefined)).toBe(defaultLogger)
    expect(resolveLogger(consoleLogger)).toBe(consoleLogger)
  })

  it.each([null, true, {}, { error() {} }, "console"])("takes %o for no logger", (given) => {
    expect(() => resolveLogger(given as never)).toThrow(
      /^logger must be false, or an object with debug, info, warn, error/,
    )
  })
})
