import { describe, expect, it } from "vitest"
import { correlationOf } from "../../../src/core/correlation.js"

const TRACE = "0af7651916cd43dd8448eb211c80319c"
const SPAN = "b7ad6b7169203331"

describe("S54: the id that a request brings along", () => {
  it.each([
    [`00-${TRACE}-${SPAN}-01`, TRACE],
    [`00-${TRACE}-${SPAN}-00`, TRACE],
    // a version to come may say more (W3C Trace Context, section 4)
    [`01-${TRACE}-${SPAN}-01-what-else`, TRACE],
    [`ff-${TRACE}-${SPAN}-01`, undefined],
    [`00-${"0".repeat(32)}-${SPAN}-01`, undefined],
    [`00-${TRACE}-${"0".repeat(16)}-01`, undefined],
    [`00-${TRACE.toUpperCase()}-${SPAN}-01`, undefined],
    [`00-${TRACE}-${SPAN}`, undefined],
    [TRACE, undefined],
    ["", undefined],
  ])("is the trace id of traceparent %j: %j", (traceparent, id) => {
    expect(correlationOf({ traceparent })).toBe(id)
  })

  it.each([
    ["7b1c9a", "7b1c9a"],
    ["Root=1-67891233-abcdef012345678912345678", "Root=1-67891233-abcdef012345678912345678"],
    ["a".repeat(128), "a".repeat(128)],
    ["a".repeat(129), undefined],
    ["two words", undefined],
    ["line\nbreak", undefined],
    ['quote"', undefined],
    ["\u001b[31mred", undefined],
    ["", undefined],
  ])("or else x-request-id %j: %j", (requestId, id) => {
    expect(correlationOf({ "x-request-id": requestId })).toBe(id)
  })

  it("is the trace id where there are both, and the other where that one is broken", () => {
    const headers = { traceparent: `00-${TRACE}-${SPAN}-01`, "x-request-id": "r1" }
    expect(correlationOf(headers)).toBe(TRACE)
    expect(correlationOf({ ...headers, traceparent: "broken" })).toBe("r1")
  })

  it("is nothing where there is nothing, or more than one", () => {
    expect(correlationOf(undefined)).toBeUndefined()
    expect(correlationOf({})).toBeUndefined()
    expect(
      correlationOf({ traceparent: [`00-${TRACE}-${SPAN}-01`], "x-request-id": ["a", "b"] }),
    ).toBeUndefined()
  })
})
