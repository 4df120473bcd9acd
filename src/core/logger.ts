/**
 * Where news goes that no listener took: any object with pino's method shape.
 * Fields come first, the sentence second; ids are logged, payloads never.
 */

import { reject } from "./options.js"

/** Writes one line: fields first, then an optional sentence. */
export type LogMethod = (fields: object, message?: string) => void

/** The four methods the library calls. A pino logger fits as it is. */
export interface Logger {
  /** Step-by-step detail. */
  readonly debug: LogMethod
  /** Something happened that an operator may want to know. */
  readonly info: LogMethod
  /** Something is wrong and was coped with. */
  readonly warn: LogMethod
  /** Something is wrong and nobody else was told. */
  readonly error: LogMethod
  /** Whether a level is on: where it is not, a line is not even put together. pino has this. @defaultValue every level is on */
  isLevelEnabled?(level: "debug" | "info" | "warn" | "error"): boolean
}

const nothing: LogMethod = () => {}

/** Says nothing at all. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }

/** Writes one level to the console. */
export const toConsole =
  (level: "debug" | "info" | "warn" | "error"): LogMethod =>
  (fields, message) =>
    // biome-ignore lint/suspicious/noConsole: this logger is the console's door
    console[level](`[holdfast] ${message ?? ""}`, fields)

/** Writes every level to the console. */
export const consoleLogger: Logger = {
  debug: /* @__PURE__ */ toConsole("debug"),
  info: /* @__PURE__ */ toConsole("info"),
  warn: /* @__PURE__ */ toConsole("warn"),
  error: /* @__PURE__ */ toConsole("error"),
}

/** The default: warnings and errors reach the console, the rest is silence. */
export const defaultLogger: Logger = {
  ...silentLogger,
  warn: /* @__PURE__ */ toConsole("warn"),
  error: /* @__PURE__ */ toConsole("error"),
}

/** Whether it is worth putting a line together. */
export function isLevelOn(logger: Logger, level: "debug" | "info" | "warn" | "error"): boolean {
  return logger[level] !== nothing && (logger.isLevelEnabled?.(level) ?? true)
}

const LEVELS = ["debug", "info", "warn", "error"] as const

/**
 * Turns a `logger` option into a logger: `false` is silence, nothing given is the default.
 * @throws {@link InvalidOptionError} for an object that lacks one of the four methods.
 */
export function resolveLogger(given: Logger | false | undefined): Logger {
  if (given === undefined) return defaultLogger
  if (given === false) return silentLogger
  if (LEVELS.every((level) => typeof given?.[level] === "function")) return given
  return reject("logger", `false, or an object with ${LEVELS.join(", ")}`, given)
}
