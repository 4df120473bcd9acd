/**
 * A logger that keeps what it is told.
 */

import type { Logger, LogMethod } from "../../src/core/logger.js"

/** One line that was logged. */
export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error"
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string | undefined
}

/** A {@link Logger} and its lines, oldest first. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = []
  readonly debug = this.#at("debug")
  readonly info = this.#at("info")
  readonly warn = this.#at("warn")
  readonly error = this.#at("error")

  #at(level: LogLine["level"]): LogMethod {
    return (fields, message) =>
      this.lines.push({ level, fields: fields as LogLine["fields"], message }) as unknown as undefined
  }
}
