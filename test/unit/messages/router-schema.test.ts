import { type } from "arktype"
import { createRouter, type HubConnection, type StandardSchema } from "holdfast"
import * as v from "valibot"
import { describe, expect, it, vi } from "vitest"
import { z } from "zod"
import { withResolvers } from "../../../src/wire/message-iterator.js"
import { PLACES, place } from "../../support/messages-place.js"

const routerOf = () => createRouter<unknown, HubConnection>()

const refusal = { type: "error", code: "INVALID_MESSAGE", message: "the message does not fit its schema" }

/** The same schema three times: a trimmed text of at most 10 characters. */
const VALIDATORS: [name: string, schema: StandardSchema<unknown, { type: "say"; text: string }>][] = [
  ["zod", z.object({ type: z.literal("say"), text: z.string().trim().max(10) }) as never],
  [
    "valibot",
    v.object({ type: v.literal("say"), text: v.pipe(v.string(), v.trim(), v.maxLength(10)) }) as never,
  ],
  ["arktype", type({ type: "'say'", text: "string.trim |> string <= 10" }) as never],
]

/** A validator that does what it is told. */
function validator(validate: (value: unknown) => unknown): StandardSchema {
  return { "~standard": { version: 1, vendor: "test", validate: validate as never } }
}

describe.each(PLACES)("T4: schemas of a router on a %s", (kind) => {
  it.each(VALIDATORS)("check messages, and change them, with %s", async (_, schema) => {
    const { target, receive, told, errors } = await place(kind)
    const seen: unknown[] = []
    routerOf()
      .on("say", schema, ({ message }) => seen.push(message))
      .mount(target)
    await receive(
      { type: "say", text: " hello " },
      { type: "say", text: "a secret that is far too long" },
      { type: "say", text: 5 },
      { type: "say" },
      { type: "say", text: "again" },
    )
    expect(seen).toEqual([
      { type: "say", text: "hello" },
      { type: "say", text: "again" },
    ])
    expect(told()).toEqual([refusal, refusal, refusal])
    expect(errors).toEqual([])
  })

  it("refuse a request by its id", async () => {
    const { target, receive, told } = await place(kind)
    const handler = vi.fn()
    const [, schema] = VALIDATORS[0] as (typeof VALIDATORS)[0]
    routerOf().answer("say", schema, handler).mount(target)
    await receive({ type: "say", id: 3 })
    expect(told()).toEqual([{ ...refusal, id: 3 }])
    expect(handler).not.toHaveBeenCalled()
  })

  it("keep the order of messages, however long each look takes", async () => {
    const { target, receive, clock } = await place(kind)
    const looks = new Map<unknown, () => void>()
    const seen: unknown[] = []
    const slow = validator((value) => {
      const { promise, resolve } = withResolvers<unknown>()
      looks.set((value as { n: number }).n, () => resolve({ value }))
      return promise
    })
    routerOf()
      .on("slow", slow, ({ message }) => seen.push((message as { n: number }).n))
      .on("quick", ({ message }) => seen.push(message.n))
      .mount(target)
    await receive(
      { type: "slow", n: 1 },
      { type: "quick", n: 2 },
      { type: "slow", n: 3 },
      { type: "quick", n: 4 },
    )
    expect([seen, [...looks.keys()]]).toEqual([[], [1]])
    looks.get(1)?.()
    await clock.advance(0)
    expect(seen).toEqual([1, 2])
    looks.get(3)?.()
    await clock.advance(0)
    expect(seen).toEqual([1, 2, 3, 4])
  })

  it.each([
    [
      "throws",
      () => {
        throw new Error("broken")
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
    ["answers nothing", () => undefined],
  ])("refuse, and report the error, when the validator %s", async (_, validate) => {
    const { target, receive, told, errors } = await place(kind)
    const handler = vi.fn()
    routerOf().on("a", validator(validate), handler).mount(target)
    await receive({ type: "a" }, { type: "a", id: 1 })
    expect(handler).not.toHaveBeenCalled()
    expect(told()).toEqual([refusal, { ...refusal, id: 1 }])
    expect(errors).toMatchObject([
      { stage: "listener", error: { cause: expect.any(Error) } },
      { stage: "listener", error: { cause: expect.any(Error) } },
    ])
  })

  it("leave what does not fit to `invalid`, where there is one", async () => {
    const { target, receive, told, errors } = await place(kind)
    const seen: unknown[] = []
    const cause = new Error("broken")
    routerOf()
      .on(
        "bad",
        validator(() => ({ issues: [{ message: "no", path: ["a", { key: 0 }] }] })),
        vi.fn(),
      )
      .on(
        "broken",
        validator(() => Promise.reject(cause)),
        vi.fn(),
      )
      .invalid(({ message, issues, cause }) => seen.push({ message, issues, cause }))
      .mount(target)
    await receive({ type: "bad" }, { type: "broken" })
    expect(seen).toEqual([
      { message: { type: "bad" }, issues: [{ message: "no", path: ["a", { key: 0 }] }], cause: undefined },
      { message: { type: "broken" }, issues: [], cause },
    ])
    expect([told(), errors]).toEqual([[], []])
  })
})

describe("T4: a schema", () => {
  it("gets the message whole and once, and its output is all that the handler sees of it", async () => {
    const { target, receive } = await place("hub")
    const validate = vi.fn(() => ({ value: "anything" }))
    const handler = vi.fn()
    routerOf().on("a", validator(validate), handler).mount(target)
    await receive({ type: "a", id: 5, more: { b: 1 } })
    expect(validate).toHaveBeenCalledExactlyOnceWith({ type: "a", id: 5, more: { b: 1 } })
    expect(handler).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ message: "anything", tag: "a", id: 5 }),
    )
  })

  it("is not asked when the handler's turn has not come", async () => {
    const { target, receive } = await place("hub")
    const validate = vi.fn((value) => ({ value }))
    routerOf()
      .use(() => undefined)
      .on("a", validator(validate), vi.fn())
      .mount(target)
    await receive({ type: "a" })
    expect(validate).not.toHaveBeenCalled()
  })
})
