import { createServer } from "node:http"
import {
  createRouter,
  type HubConnection,
  jsonRpc,
  type MessageContext,
  RequestError,
  tagged,
} from "holdfast"
import { socketPair } from "holdfast/testing"
import { describe, expect, it, vi } from "vitest"
import { withResolvers } from "../../../src/wire/message-iterator.js"
import { PLACES, place } from "../../support/messages-place.js"

const unknownType = {
  type: "error",
  code: "UNKNOWN_TYPE",
  message: "messages of this type are not handled here",
}

/** A router of anything, so that a test is about values. */
const routerOf = (options = {}) => createRouter<unknown, HubConnection>(options)

describe.each(PLACES)("T4: a router on a %s", (kind) => {
  it("hands each message to the handler of its type, with whoever sent it", async () => {
    const { target, peer, receive, told } = await place(kind)
    const seen: unknown[] = []
    routerOf()
      .on("join", ({ message, peer: from, tag, id }) => seen.push(["join", message, from === peer, tag, id]))
      .on(7, ({ message }) => seen.push(["seven", message]))
      .mount(target)
    await receive({ type: "join", room: "a" }, { type: 7 }, { type: "join", id: 1 })
    expect(seen).toEqual([
      ["join", { type: "join", room: "a" }, true, "join", undefined],
      ["seven", { type: 7 }],
      ["join", { type: "join", id: 1 }, true, "join", 1],
    ])
    expect(told()).toEqual([])
  })

  it("lets handlers answer by themselves", async () => {
    const { target, receive, told } = await place(kind)
    routerOf()
      .on("ask", ({ peer }) => peer.send({ type: "answer" }))
      .mount(target)
    await receive({ type: "ask" })
    expect(told()).toEqual([{ type: "answer" }])
  })

  it.each([
    [{ type: "other" }],
    [{ type: "other", secret: 1 }],
    [{}],
    [{ type: null }],
    [{ type: ["join"] }],
    [[{ type: "join" }]],
    [null],
    ["join"],
    [7],
  ])("refuses a message of an unknown type, and repeats nothing of it: %j", async (message) => {
    const { target, receive, told, errors } = await place(kind)
    const join = vi.fn()
    routerOf().on("join", join).mount(target)
    await receive(message, { type: "join" })
    expect(told()).toEqual([unknownType])
    expect(join).toHaveBeenCalledOnce()
    expect(errors).toEqual([])
  })

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty", "then"])(
    "has no handler for %s that nobody gave it",
    async (type) => {
      const { target, receive, told } = await place(kind)
      routerOf()
        .on("join", () => {})
        .mount(target)
      await receive({ type })
      expect(told()).toEqual([unknownType])
    },
  )

  it("tells a request of an unknown type so, by its id", async () => {
    const { target, receive, told } = await place(kind)
    routerOf().mount(target)
    await receive(
      { type: "other", id: "a-1" },
      { type: "other", id: { a: 1 } },
      { type: "other", id: "x".repeat(129) },
    )
    expect(told()).toEqual([{ ...unknownType, id: "a-1" }, unknownType, unknownType])
  })

  it("leaves unknown types to `otherwise`, where there is one", async () => {
    const { target, receive, told, errors } = await place(kind)
    const otherwise = vi.fn()
    routerOf().otherwise(otherwise).mount(target)
    await receive({ type: "other", a: 1 })
    expect(otherwise).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ message: { type: "other", a: 1 }, tag: "other" }),
    )
    expect([told(), errors]).toEqual([[], []])
  })

  it.each([
    { type: "error", code: "ANY" },
    { type: "reply" },
    { type: "error", id: 1 },
    { type: "reply", id: 1 },
  ])("does not refuse refusals and replies, or two routers would never end: %j", async (message) => {
    const { target, receive, told, errors } = await place(kind)
    routerOf().mount(target)
    await receive(message)
    expect([told(), errors]).toEqual([[], []])
  })

  it("can handle refusals like any message", async () => {
    const { target, receive } = await place(kind)
    const onError = vi.fn()
    routerOf().on("error", onError).mount(target)
    await receive({ type: "error", code: "UNKNOWN_TYPE" })
    expect(onError).toHaveBeenCalledOnce()
  })

  it("reports what a handler throws, and tells the peer nothing", async () => {
    const { target, receive, told, errors } = await place(kind)
    const after = vi.fn()
    routerOf()
      .on("throw", () => {
        throw new Error("at once")
      })
      .on("reject", async () => {
        throw new Error("later")
      })
      .on("nothing", () => Promise.reject(undefined))
      .on("after", after)
      .mount(target)
    await receive({ type: "throw" }, { type: "reject" }, { type: "nothing" }, { type: "after" })
    expect(errors.map(({ stage, error }) => [stage, (error as Error).message])).toEqual([
      ["listener", "at once"],
      ["listener", "later"],
      ["listener", "a handler threw nothing"],
    ])
    expect(told()).toEqual([])
    expect(after).toHaveBeenCalledOnce()
  })

  it("tells the peer of a RequestError, and reports it only where it has a cause", async () => {
    const { target, receive, told, errors } = await place(kind)
    const cause = new Error("the reason")
    routerOf()
      .on("plain", () => {
        throw new RequestError("FULL", "the room is full", { data: { most: 8 } })
      })
      .on("caused", async () => {
        throw new RequestError("BROKEN", "not now", { cause })
      })
      .mount(target)
    await receive({ type: "plain" }, { type: "caused" })
    expect(told()).toEqual([
      { type: "error", code: "FULL", message: "the room is full", data: { most: 8 } },
      { type: "error", code: "BROKEN", message: "not now" },
    ])
    expect(errors).toMatchObject([{ stage: "listener", error: { reason: "BROKEN", cause } }])
  })

  it("handles nothing more once it is taken off, not even what waits", async () => {
    const { target, receive, told } = await place(kind)
    const work = withResolvers<void>()
    const seen: unknown[] = []
    const undo = routerOf()
      .on("a", ({ message }) => {
        seen.push(message.n)
        return work.promise
      })
      .mount(target)
    await receive({ type: "a", n: 1 }, { type: "a", n: 2 })
    undo()
    undo()
    work.resolve()
    await receive({ type: "a", n: 3 }, { type: "b" })
    expect([seen, told()]).toEqual([[1], []])
  })

  it("does not mind that the peer has left meanwhile", async () => {
    const { target, receive, cut, errors, clock } = await place(kind)
    const work = withResolvers<void>()
    routerOf()
      .answer("slow", () => work.promise)
      .on("refused", () => {
        throw new RequestError("NO", "no")
      })
      .mount(target)
    await receive({ type: "slow", id: 1 }, { type: "refused" })
    await cut()
    work.resolve()
    await clock.advance(10)
    expect(errors.filter(({ stage }) => stage === "listener")).toEqual([])
  })
})

describe("T4: the order of a router", () => {
  /** A router whose handlers of "work" end when told to. */
  async function working(kind: (typeof PLACES)[number], options = {}) {
    const it = await place(kind)
    const begun: unknown[] = []
    const finish = new Map<unknown, () => Promise<void>>()
    const router = routerOf(options)
      .on("work", ({ message }) => {
        begun.push(message.n)
        const { promise, resolve } = withResolvers<void>()
        finish.set(message.n, async () => {
          resolve()
          await it.clock.advance(0)
        })
        return promise
      })
      .on("quick", ({ message }) => {
        begun.push(message.n)
      })
    router.mount(it.target)
    return { ...it, router, begun, finish: (n: unknown) => finish.get(n)?.() }
  }

  it.each(PLACES)("is that of the messages, whatever time handlers take: on a %s", async (kind) => {
    const { begun, finish, receive } = await working(kind)
    await receive(
      { type: "work", n: 1 },
      { type: "work", n: 2 },
      { type: "quick", n: 3 },
      { type: "work", n: 4 },
    )
    expect(begun).toEqual([1])
    await finish(1)
    expect(begun).toEqual([1, 2])
    await finish(2)
    expect(begun).toEqual([1, 2, 3, 4])
    await receive({ type: "quick", n: 5 })
    await finish(4)
    expect(begun).toEqual([1, 2, 3, 4, 5])
  })

  it("goes on behind a handler that fails", async () => {
    const it = await place("hub")
    const begun: unknown[] = []
    routerOf()
      .on("work", async ({ message }) => {
        begun.push(message.n)
        throw new Error("no")
      })
      .mount(it.target)
    await it.receive({ type: "work", n: 1 }, { type: "work", n: 2 }, { type: "work", n: 3 })
    expect(begun).toEqual([1, 2, 3])
    expect(it.errors).toHaveLength(3)
  })

  it.each(PLACES)("may be given up: on a %s", async (kind) => {
    const { begun, receive } = await working(kind, { isOrdered: false })
    await receive({ type: "work", n: 1 }, { type: "quick", n: 2 }, { type: "work", n: 3 })
    expect(begun).toEqual([1, 2, 3])
  })

  it("is each peer's own", async () => {
    const [one, two] = [await working("connection"), await place("connection")]
    one.router.mount(two.target)
    await one.receive({ type: "work", n: 1 }, { type: "work", n: 2 })
    await two.receive({ type: "work", n: "a" })
    expect(one.begun).toEqual([1, "a"])
  })

  it.each(["hub", "connection"] as const)(
    "lets reading pause while handlers are busy: on a %s",
    async (kind) => {
      const it = await place(kind, { concurrency: 3 })
      const work: (() => void)[] = []
      routerOf()
        .on("work", () => new Promise<void>((resolve) => work.push(resolve)))
        .mount(it.target)
      await it.receive(...Array.from({ length: 5 }, () => ({ type: "work" })))
      expect([work.length, it.peer.isReadingPaused]).toEqual([1, true])
      for (let i = 0; i < 5; i += 1) {
        work.shift()?.()
        await it.clock.advance(0)
      }
      expect(it.peer.isReadingPaused).toBe(false)
    },
  )

  it("has a bound where reading cannot pause: what is too much is an error, and the rest goes on", async () => {
    const { begun, errors, finish, receive } = await working("client", { maxWaiting: 2 })
    await receive(...[1, 2, 3, 4, 5].map((n) => ({ type: "work", n })))
    expect(errors).toMatchObject([
      { stage: "listener", error: { code: "QUEUE_FULL", message: "2 messages wait to be handled" } },
      { stage: "listener", error: { code: "QUEUE_FULL" } },
    ])
    for (const n of [1, 2, 3]) await finish(n)
    await receive({ type: "quick", n: 6 })
    expect(begun).toEqual([1, 2, 3, 6])
  })
})

describe("T4: a router's middlewares", () => {
  it("stand around the handler in the order they were added, and see what nobody handles", async () => {
    const { target, receive } = await place("hub")
    const steps: unknown[] = []
    const around =
      (name: string) =>
      async ({ tag }: MessageContext<unknown, HubConnection>, next: () => Promise<void>) => {
        steps.push(`${name} before ${tag}`)
        await next()
        steps.push(`${name} after ${tag}`)
      }
    routerOf()
      .use(around("outer"))
      .use(around("inner"))
      .on("a", async () => steps.push("a"))
      .otherwise(() => steps.push("otherwise"))
      .mount(target)
    await receive({ type: "a" }, { type: "b" })
    expect(steps).toEqual([
      ...["outer before a", "inner before a", "a", "inner after a", "outer after a"],
      ...["outer before b", "inner before b", "otherwise", "inner after b", "outer after b"],
    ])
  })

  it("stop a message by not calling next, and may say why", async () => {
    const { target, receive, told, errors } = await place("hub")
    const handler = vi.fn()
    routerOf()
      .use(({ message }, next) => {
        if ((message as { token?: string }).token === "good") return next()
        if ((message as { token?: string }).token === "bad") throw new RequestError("DENIED", "log in first")
        return undefined
      })
      .on("a", handler)
      .mount(target)
    await receive({ type: "a" }, { type: "a", token: "bad" }, { type: "a", token: "good" })
    expect(handler).toHaveBeenCalledOnce()
    expect(told()).toEqual([{ type: "error", code: "DENIED", message: "log in first" }])
    expect(errors).toEqual([])
  })

  it("see what handlers throw, and may deal with it", async () => {
    const { target, receive, errors } = await place("hub")
    const caught: unknown[] = []
    routerOf()
      .use(async (_, next) => {
        await next().catch((error: Error) => caught.push(error.message))
      })
      .on("a", () => {
        throw new Error("no")
      })
      .mount(target)
    await receive({ type: "a" }, { type: "unknown" })
    expect(caught).toEqual(["no", "messages of this type are not handled here"])
    expect(errors).toEqual([])
  })

  it.each<[string, (_: unknown, next: () => Promise<void>) => unknown]>([
    ["returns nothing", (_, next) => void next()],
    ["is async", async (_, next) => void next()],
  ])("need not wait for next: the message is handled all the same by one that %s", async (_, around) => {
    const { target, receive, told, errors } = await place("hub")
    const unhandled = vi.fn()
    process.on("unhandledRejection", unhandled)
    createRouter<unknown, HubConnection, { ask: string; fail: never }>()
      .use(around)
      .answer("ask", async () => "an answer")
      .answer("fail", () => {
        throw new Error("no")
      })
      .mount(target)
    await receive({ type: "ask", id: 1 }, { type: "fail", id: 2 }, { type: "other" })
    await new Promise(setImmediate) // when Node would have called them unhandled
    process.off("unhandledRejection", unhandled)
    expect(told()).toEqual([
      { type: "reply", id: 1, data: "an answer" },
      { type: "error", id: 2, code: "INTERNAL", message: "the request failed" },
      unknownType,
    ])
    expect(errors).toMatchObject([{ stage: "listener", error: { message: "no" } }])
    expect(unhandled).not.toHaveBeenCalled()
  })

  it("may fail after next, and their error is the one that counts", async () => {
    const { target, receive, errors } = await place("hub")
    const unhandled = vi.fn()
    process.on("unhandledRejection", unhandled)
    routerOf()
      .use((_, next) => {
        void next()
        throw new Error("the middleware's")
      })
      .on("a", () => {
        throw new Error("the handler's")
      })
      .mount(target)
    await receive({ type: "a" })
    await new Promise(setImmediate)
    process.off("unhandledRejection", unhandled)
    expect(errors).toMatchObject([{ error: { message: "the middleware's" } }])
    expect(unhandled).not.toHaveBeenCalled()
  })

  it("stand around messages that come after they were added, and none that is on its way", async () => {
    const { target, receive } = await place("hub")
    const { promise: gate, resolve: open } = withResolvers<void>()
    const late = vi.fn((_: unknown, next: () => Promise<void>) => next())
    const handler = vi.fn()
    const router = routerOf()
      .use(async (_, next) => {
        await gate
        await next()
      })
      .on("a", handler)
    router.mount(target)
    await receive({ type: "a", n: 1 })
    router.use(late)
    open()
    await receive({ type: "a", n: 2 })
    expect(handler).toHaveBeenCalledTimes(2)
    expect(late).toHaveBeenCalledOnce()
  })

  it("may call next once", async () => {
    const { target, receive, errors } = await place("hub")
    const handler = vi.fn()
    routerOf()
      .use(async (_, next) => {
        await next()
        await next()
      })
      .on("a", handler)
      .mount(target)
    await receive({ type: "a" })
    expect(handler).toHaveBeenCalledOnce()
    expect(errors).toMatchObject([{ error: { message: "a middleware called next() twice" } }])
  })
})

describe("T4: a router", () => {
  it("reads the type from another field, and refuses in it", async () => {
    const { target, receive, told } = await place("hub")
    const handler = vi.fn()
    createRouter<unknown, HubConnection, object, "kind">({ discriminator: "kind" })
      .on("a", handler)
      .mount(target)
    await receive({ kind: "a" }, { type: "a" })
    expect(handler).toHaveBeenCalledOnce()
    expect(told()).toEqual([{ ...unknownType, type: undefined, kind: "error" }])
  })

  it("has one handler for each type: the last", async () => {
    const { target, receive } = await place("hub")
    const [first, last] = [vi.fn(), vi.fn()]
    routerOf().on("a", first).on("a", last).mount(target)
    await receive({ type: "a" })
    expect([first.mock.calls.length, last.mock.calls.length]).toEqual([0, 1])
  })

  it("may be mounted on several, and taken off each", async () => {
    const places = await Promise.all(PLACES.map((kind) => place(kind)))
    const seen: unknown[] = []
    const router = routerOf().on("a", ({ peer }) => seen.push(peer))
    const undos = places.map(({ target }) => router.mount(target))
    for (const { receive } of places) await receive({ type: "a" })
    expect(seen).toEqual(places.map(({ peer }) => peer))
    undos[1]?.()
    for (const { receive } of places) await receive({ type: "a" })
    expect(seen).toHaveLength(5)
  })

  it.each([
    [() => routerOf({ discriminator: "id" }), 'discriminator must be a field that is not id, received "id"'],
    [() => routerOf({ discriminator: 5 }), "discriminator must be a field that is not id, received 5"],
    [
      () => routerOf({ framing: { read() {} } }),
      "router.framing must be an object with read, request, reply, failure, received [object Object]",
    ],
    [
      () => routerOf({ framing: jsonRpc(), discriminator: "kind" }),
      'router.discriminator must be left out beside framing, received "kind"',
    ],
    [() => tagged({ key: "kind" } as object), 'tagged.key must be one of discriminator, received "key"'],
    [
      () => routerOf().on(undefined as never, () => {}),
      "router.on type must be a string or a number, received undefined",
    ],
    [() => routerOf({ isOrdered: "no" }), 'router.isOrdered must be one of true, false, received "no"'],
    [() => routerOf({ maxWaiting: 0 }), "router.maxWaiting must be a whole number ≥ 1, received 0"],
    [
      () => routerOf({ max: 1 }),
      'router.max must be one of discriminator, framing, isOrdered, maxWaiting, received "max"',
    ],
    [() => routerOf().on("a", undefined as never), 'router.on("a") must be a function, received undefined'],
    [() => routerOf().on("a", {} as never), 'router.on("a") must be a function, received [object Object]'],
    [
      () => routerOf().on("a", {} as never, () => {}),
      'router.on("a") schema must be a validator of Standard Schema, received [object Object]',
    ],
    [
      () => routerOf().mount(createServer() as never),
      "router.mount target must be a hub, a connection or a client, received [object Object]",
    ],
    [
      () => routerOf().mount(socketPair()[0] as never),
      "router.mount target must be a hub, a connection or a client, received [object Object]",
    ],
    [
      () => routerOf().mount(undefined as never),
      "router.mount target must be a hub, a connection or a client, received undefined",
    ],
    [() => routerOf().use(null as never), "router.use must be a function, received null"],
  ])("refuses what cannot be: %s", (make, message) => {
    expect(make).toThrow(expect.objectContaining({ code: "INVALID_OPTION", message }))
  })
})
