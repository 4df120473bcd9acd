import { describe, expect, it } from "vitest"
import {
  CodecError,
  ConnectError,
  ConnectionLostError,
  HoldfastError,
  hasErrorCode,
  InvalidOptionError,
  QueueFullError,
  SendTimeoutError,
  StopReconnecting,
} from "../../../src/core/errors.js"

const cause = new Error("underneath")

describe("errors", () => {
  it.each([
    [new ConnectError("m", { cause }), "CONNECT_FAILED", "ConnectError"],
    [new ConnectError("m", { cause, code: "CONNECT_TIMEOUT" }), "CONNECT_TIMEOUT", "ConnectError"],
    [new ConnectError("m", { cause, code: "NO_WEBSOCKET" }), "NO_WEBSOCKET", "ConnectError"],
    [new ConnectionLostError("m", { cause }), "CONNECTION_LOST", "ConnectionLostError"],
    [new SendTimeoutError("m", { cause }), "SEND_TIMEOUT", "SendTimeoutError"],
    [new QueueFullError("m", { cause }), "QUEUE_FULL", "QueueFullError"],
    [new CodecError("DECODE_FAILED", "m", "p", { cause }), "DECODE_FAILED", "CodecError"],
    [new CodecError("ENCODE_FAILED", "m", "p", { cause }), "ENCODE_FAILED", "CodecError"],
    [new StopReconnecting("m", { cause }), "STOP_RECONNECTING", "StopReconnecting"],
    [new HoldfastError("ABORTED", "m", { cause }), "ABORTED", "HoldfastError"],
  ])("%s has code %s and name %s, and keeps message and cause", (error, code, name) => {
    expect(error).toBeInstanceOf(HoldfastError)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ code, name, message: "m", cause })
    expect(error.stack).toContain(name)
  })

  it("has no cause of its own when none was given", () => {
    expect(Object.hasOwn(new ConnectionLostError("m"), "cause")).toBe(false)
  })

  it("shows what is known of a refused upgrade", () => {
    const error = new ConnectError("refused", { status: 503, retryAfterMs: 2_000 })
    expect(error).toMatchObject({ status: 503, retryAfterMs: 2_000 })
    expect(new ConnectError("reset")).toMatchObject({ status: undefined, retryAfterMs: undefined })
  })

  it("reports a bad option as a TypeError with a code", () => {
    const error = new InvalidOptionError("m")
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ code: "INVALID_OPTION", name: "InvalidOptionError", message: "m" })
  })

  it("has a reason for a stop that gives none", () => {
    expect(new StopReconnecting().message).not.toBe("")
  })

  it("lets subclasses carry their own name", () => {
    class MyError extends ConnectionLostError {}
    expect(new MyError("m").name).toBe("MyError")
  })
})

describe("hasErrorCode", () => {
  it("tells errors of this library by their code", () => {
    const error: unknown = new QueueFullError("full")
    expect(hasErrorCode(error, "QUEUE_FULL")).toBe(true)
    expect(hasErrorCode(error, "ABORTED")).toBe(false)
    expect(hasErrorCode(new InvalidOptionError("m"), "INVALID_OPTION")).toBe(true)
  })

  it("knows an error of a second copy of the package, where instanceof does not", () => {
    class QueueFullErrorOfTheOtherCopy extends Error {
      readonly code = "QUEUE_FULL"
    }
    const error = new QueueFullErrorOfTheOtherCopy("full")
    expect(error).not.toBeInstanceOf(QueueFullError)
    expect(hasErrorCode(error, "QUEUE_FULL")).toBe(true)
  })

  it.each([undefined, null, "QUEUE_FULL", { code: "QUEUE_FULL" }, new Error("QUEUE_FULL")])(
    "takes %o for none of them",
    (value) => {
      expect(hasErrorCode(value, "QUEUE_FULL")).toBe(false)
    },
  )
})
