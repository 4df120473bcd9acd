import {
  CodecError,
  createHub,
  createRequests,
  createRouter,
  type HubConnection,
  RequestError,
  type RequestOptions,
  type RequestsOptions,
} from "holdfast"
import { describe, expect, it, vi } from "vitest"
import { PLACES, type Place, place } from "../../support/messages-place.js"

/** Requests over one end, whose outcomes are written down as they come. */
async function asking(kind: (typeof PLACES)[number], options: RequestsOptions<"type"> = {}) {
  const at = await place(kind)
  const requests = createRequests({ clock: at.clock, logger: false, ...options })
  const outcomes: unknown[] = []
  const ask = (message: { type: string } & Record<string, unknown>, requestOptions?: RequestOptions) => {
    requests.request(at.peer as HubConnection, message, requestOptions).then(
      (value) => outcomes.push(value),
      (error) => outcomes.push(error.code),
    )
    return at.clock.advance(0)
  }
  return { ...at, requests, outcomes, ask, pending: () => requests.pending(at.peer) }
}

describe.each(PLACES)("T5: requests over a %s", (kind) => {
  it("are messages with an id, and resolve with what answers it, in any order", async () => {
    const { ask, told, receive, outcomes, pending } = await asking(kind)
    await ask({ type: "get", key: "a" })
    await ask({ type: "get", key: "b" })
    expect(told()).toEqual([
      { type: "get", key: "a", id: 1 },
      { type: "get", key: "b", id: 2 },
    ])
    expect([outcomes, pending()]).toEqual([[], 2])
    await receive({ type: "reply", id: 2, data: "B" }, { type: "reply", id: 1 })
    expect([outcomes, pending()]).toEqual([["B", undefined], 0])
  })

  it("reject with the peer's own error", async () => {
    const { requests, peer, receive, clock } = await asking(kind)
    const refused = requests.request(peer, { type: "get" }).catch((error: unknown) => error)
    await clock.advance(0)
    await receive({ type: "error", id: 1, code: "NOT_FOUND", message: "there is none", data: { key: 1 } })
    const error = (await refused) as RequestError
    expect(error).toBeInstanceOf(RequestError)
    expect(error).toMatchObject({
      name: "RequestError",
      code: "REQUEST_FAILED",
      reason: "NOT_FOUND",
      message: "there is none",
      data: { key: 1 },
    })
  })

  it.each([
    [{}, "UNKNOWN", "the peer does not say why"],
    [{ code: {}, message: [] }, "UNKNOWN", "the peer does not say why"],
    [{ code: 404, message: "" }, 404, ""],
    // a peer cannot pass its errors off as ours
    [{ code: "CONNECTION_LOST" }, "CONNECTION_LOST", "the peer does not say why"],
  ])("reject whatever the error looks like: %j", async (fields, reason, message) => {
    const { requests, peer, receive, clock } = await asking(kind)
    const refused = requests.request(peer, { type: "get" }).catch((error: unknown) => error)
    await clock.advance(0)
    await receive({ type: "error", id: 1, ...fields })
    expect(await refused).toMatchObject({ code: "REQUEST_FAILED", reason, message })
  })

  it("end after their time, and do not mind the answer that comes too late", async () => {
    const { ask, receive, outcomes, clock, requests, pending } = await asking(kind)
    await ask({ type: "get" }, { timeoutMs: 50 })
    await ask({ type: "get" })
    await clock.advance(49)
    expect(outcomes).toEqual([])
    await clock.advance(1)
    expect([outcomes, pending()]).toEqual([["REQUEST_TIMEOUT"], 1])
    await receive({ type: "reply", id: 1, data: "late" })
    expect([outcomes.length, requests.unmatched]).toEqual([1, 1])
    await clock.advance(9_950)
    expect([outcomes, pending(), clock.pending]).toEqual([["REQUEST_TIMEOUT", "REQUEST_TIMEOUT"], 0, 0])
  })

  it("end with their signal", async () => {
    const { ask, outcomes, clock, pending, requests, peer } = await asking(kind)
    const abort = new AbortController()
    await ask({ type: "get" }, { signal: abort.signal })
    abort.abort(new Error("enough"))
    // long enough for the timers of the peer itself, and not for that of the request
    await clock.advance(5_000)
    expect([outcomes, pending(), clock.pending]).toEqual([["ABORTED"], 0, 0])
    await expect(requests.request(peer, { type: "get" }, { signal: abort.signal })).rejects.toMatchObject({
      code: "ABORTED",
      cause: Error("enough"),
    })
  })

  it("leave nothing on the signal", async () => {
    const { ask, receive } = await asking(kind)
    const { signal } = new AbortController()
    const [add, remove] = [vi.spyOn(signal, "addEventListener"), vi.spyOn(signal, "removeEventListener")]
    await ask({ type: "get" }, { signal })
    await receive({ type: "reply", id: 1 })
    expect(add.mock.calls.length).toBe(1)
    expect(remove.mock.calls.length).toBe(1)
  })

  it.each([
    ["never made", { type: "reply", id: 77, data: 1 }],
    ["never made, by a word", { type: "reply", id: "1", data: 1 }],
    ["never made, refused", { type: "error", id: 77, code: "NO" }],
  ])("count replies to requests that were %s, and say so", async (_, reply) => {
    const { ask, receive, outcomes, requests, peer, errors } = await asking(kind)
    const strays: unknown[] = []
    requests.on("unmatched", ({ peer: from, reply: { kind: what, id } }) =>
      strays.push([from === peer, what, id]),
    )
    await ask({ type: "get" })
    await receive(reply)
    expect([outcomes, requests.unmatched]).toEqual([[], 1])
    expect(strays).toEqual([[true, reply.type === "reply" ? "reply" : "refusal", reply.id]])
    await receive({ type: "reply", id: 1, data: "still" })
    expect([outcomes, errors]).toEqual([["still"], []])
  })

  it("take the first of two replies", async () => {
    const { ask, receive, outcomes, requests } = await asking(kind)
    await ask({ type: "get" })
    await receive(
      { type: "reply", id: 1, data: "first" },
      { type: "reply", id: 1, data: "second" },
      { type: "error", id: 1 },
    )
    expect([outcomes, requests.unmatched]).toEqual([["first"], 2])
  })

  it("survive whatever else comes in", async () => {
    const { ask, receive, receiveRaw, outcomes, requests } = await asking(kind)
    await ask({ type: "get" })
    await receive(
      null,
      7,
      [],
      [[]],
      {},
      { type: "reply" },
      { type: "reply", id: {} },
      { type: "other", id: 1 },
      { id: 1 },
    )
    await receiveRaw("no json", new Uint8Array(3))
    expect([outcomes, requests.unmatched]).toEqual([[], 0])
    await receive({ type: "reply", id: 1, data: "at last" })
    expect(outcomes).toEqual(["at last"])
  })

  it("are bounded: one too many is rejected at once, and room comes back", async () => {
    const { ask, receive, told, outcomes } = await asking(kind, { maxPending: 2 })
    for (const n of [1, 2, 3]) await ask({ type: "get", n })
    expect([outcomes, told().length]).toEqual([["QUEUE_FULL"], 2])
    await receive({ type: "reply", id: 1, data: "one" })
    await ask({ type: "get", n: 4 })
    expect([outcomes, told().length]).toEqual([["QUEUE_FULL", "one"], 3])
  })

  it("reject what cannot be sent, and forget it", async () => {
    const { requests, peer, pending, clock } = await asking(kind)
    await expect(requests.request(peer, { type: "get", n: 1n } as never)).rejects.toThrow(CodecError)
    await expect(requests.request(peer, { type: "get", id: 1 } as never)).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: "request message.id must be left out: the request has its own, received [object Object]",
    })
    await expect(requests.request(peer, { type: "get" }, { timeoutMs: 0 })).rejects.toMatchObject({
      code: "INVALID_OPTION",
    })
    await clock.advance(5_000)
    expect([pending(), clock.pending]).toEqual([0, 0])
  })

  it("do not change the message they were given", async () => {
    const { ask, told } = await asking(kind)
    const message = Object.freeze({ type: "get" })
    await ask(message)
    expect(told()).toEqual([{ type: "get", id: 1 }])
  })

  it("of two makers do not meet", async () => {
    const { ask, peer, clock, receive, outcomes, told } = await asking(kind)
    const others = createRequests({ clock })
    await ask({ type: "get" })
    const other = others.request(peer, { type: "get" })
    await clock.advance(0)
    expect(told().map((it) => (it as { id: number }).id)).toEqual([1, 2])
    await receive({ type: "reply", id: 1, data: "one" }, { type: "reply", id: 2, data: "two" })
    expect([outcomes, await other]).toEqual([["one"], "two"])
  })

  it("go both ways at once, beside a router, without mistaking one for the other", async () => {
    const { ask, target, receive, told, outcomes } = await asking(kind)
    createRouter<unknown, HubConnection>()
      .answer("add", ({ message }) => (message.a as number) + (message.b as number))
      .mount(target)
    await ask({ type: "get" })
    await receive({ type: "add", a: 1, b: 2, id: 1 }, { type: "reply", id: 1, data: "got" })
    expect(outcomes).toEqual(["got"])
    expect(told()).toEqual([
      { type: "get", id: 1 },
      { type: "reply", id: 1, data: 3 },
    ])
  })
})

describe.each(["hub", "connection"] as const)("T5: requests over a %s that ends", (kind) => {
  it("are lost with it, at once", async () => {
    const { ask, cut, outcomes, clock } = await asking(kind)
    await ask({ type: "get" })
    await ask({ type: "get" }, { idempotent: true })
    await cut()
    expect([outcomes, clock.pending]).toEqual([["CONNECTION_LOST", "CONNECTION_LOST"], 0])
    await ask({ type: "get" })
    expect(outcomes).toHaveLength(3)
    expect(outcomes[2]).toBe("CONNECTION_LOST")
  })

  it("end when they are closed, and leave no listener behind", async () => {
    const { ask, peer, outcomes, requests, clock, pending, receive } = await asking(kind)
    const events = ["message", "close", "state", "end"] as const
    const listeners = () => events.map((event) => peer.listenerCount(event as "message"))
    const before = listeners()
    await ask({ type: "get" })
    const timers = clock.pending
    expect(listeners()).not.toEqual(before)
    requests.close()
    requests.close()
    await ask({ type: "get" })
    expect(outcomes).toEqual(["ABORTED", "ABORTED"])
    expect([listeners(), pending(), clock.pending]).toEqual([before, 0, timers - 1])
    await receive({ type: "reply", id: 1 })
    expect(requests.unmatched).toBe(0)
  })

  it("are lost while it closes", async () => {
    const { ask, peer, outcomes } = await asking(kind)
    void peer.close()
    await ask({ type: "get" })
    expect(outcomes).toEqual(["CONNECTION_LOST"])
  })

  it("are rejected when the outbox gives them up", async () => {
    const at = await place(kind, { maxBufferedBytes: 100, overflow: "drop-newest" })
    const requests = createRequests({ clock: at.clock })
    await expect(
      requests.request(at.peer, { type: "get", text: "x".repeat(200) } as never),
    ).rejects.toMatchObject({
      code: "QUEUE_FULL",
    })
    expect([requests.pending(at.peer), at.clock.pending]).toEqual([0, 0])
  })
})

it.each([
  ["a hub", createHub({ logger: false })],
  ["a socket", new EventTarget()],
  ["nothing", null],
])("T5: requests refuse %s for a peer, and say what it must be", async (_, peer) => {
  const answer = createRequests().request(peer as never, { type: "get" } as never)
  await expect(answer).rejects.toThrow("request.peer must be a connection or a client")
})

describe("T5: the answers of a router", () => {
  it.each(PLACES)("are replies by id, at once or later, and refusals: on a %s", async (kind) => {
    const { target, receive, told, errors, clock } = await place(kind)
    createRouter<unknown, HubConnection>({ isOrdered: false })
      .answer("now", ({ id }) => ({ id }))
      .answer("later", () => new Promise((resolve) => clock.setTimer(() => resolve("later"), 10)))
      .answer("nothing", () => undefined)
      .answer("refuse", () => {
        throw new RequestError("NO", "no", { data: 0 })
      })
      .answer("break", () => {
        throw new Error("secret")
      })
      .answer("big", () => 1n)
      .mount(target)
    const types = ["later", "now", "nothing", "refuse", "break", "big", "none"]
    await receive(...types.map((type) => ({ type, id: `${type}-1` })))
    await clock.advance(10)
    expect(told()).toEqual([
      { type: "reply", id: "now-1", data: { id: "now-1" } },
      { type: "reply", id: "nothing-1" },
      { type: "error", id: "refuse-1", code: "NO", message: "no", data: 0 },
      { type: "error", id: "break-1", code: "INTERNAL", message: "the request failed" },
      { type: "error", id: "big-1", code: "INTERNAL", message: "the request failed" },
      {
        type: "error",
        id: "none-1",
        code: "UNKNOWN_TYPE",
        message: "messages of this type are not handled here",
      },
      { type: "reply", id: "later-1", data: "later" },
    ])
    expect(errors.map(({ error }) => (error as Error).message)).toEqual([
      "secret",
      "object cannot be JSON: Do not know how to serialize a BigInt",
    ])
  })

  it("are not given to messages that are no requests", async () => {
    const { target, receive, told } = await place("hub")
    const handler = vi.fn(() => "value")
    createRouter<unknown, HubConnection>().answer("a", handler).on("b", handler).mount(target)
    await receive({ type: "a" }, { type: "a", id: null }, { type: "b", id: 1 })
    expect([handler.mock.calls.length, told()]).toEqual([3, []])
  })

  it("go through middlewares, which may refuse", async () => {
    const { target, receive, told } = await place("hub")
    createRouter<unknown, HubConnection>()
      .use(async ({ message }, next) => {
        if (!(message as { token?: string }).token) throw new RequestError("DENIED", "log in")
        await next()
      })
      .answer("a", () => "value")
      .mount(target)
    await receive({ type: "a", id: 1 }, { type: "a", id: 2, token: "t" })
    expect(told()).toEqual([
      { type: "error", id: 1, code: "DENIED", message: "log in" },
      { type: "reply", id: 2, data: "value" },
    ])
  })

  it("of a client are not sent on another connection than the request came from", async () => {
    const at: Place = await place("client")
    const finish: (() => void)[] = []
    createRouter<unknown, HubConnection>()
      .answer("slow", () => new Promise<void>((resolve) => finish.push(resolve)))
      .answer("quick", () => "value")
      .mount(at.target)
    await at.receive({ type: "slow", id: 1 })
    await at.cut()
    await at.clock.advance(2_000)
    finish[0]?.()
    await at.receive({ type: "quick", id: 1 })
    expect(at.told()).toEqual([{ type: "reply", id: 1, data: "value" }])
  })
})

describe("T5: createRequests", () => {
  it("gives an answer 10 s, and lets 1,024 wait for one peer, unless told otherwise", async () => {
    const { ask, outcomes, clock, pending } = await asking("connection")
    for (let i = 0; i < 1_024; i += 1) await ask({ type: "get" })
    expect([outcomes, pending()]).toEqual([[], 1_024])
    await ask({ type: "get" })
    expect(outcomes).toEqual(["QUEUE_FULL"])
    await clock.advance(9_999)
    expect(outcomes).toHaveLength(1)
    await clock.advance(1)
    expect(outcomes.slice(1)).toEqual(Array(1_024).fill("REQUEST_TIMEOUT"))
  })

  it.each([
    [{ timeoutMs: 0 }, "requests.timeoutMs must be a number from 1 to 2147483647, received 0"],
    [{ maxPending: 0 }, "requests.maxPending must be a whole number ≥ 1, received 0"],
    [
      { framing: {} },
      "requests.framing must be an object with read, request, reply, failure, received [object Object]",
    ],
    [{ discriminator: "id" }, 'discriminator must be a field that is not id, received "id"'],
    [
      { clock: {} },
      "requests.clock must be an object with now, setTimer, clearTimer, received [object Object]",
    ],
    [
      { retries: 1 },
      'requests.retries must be one of discriminator, framing, timeoutMs, maxPending, logger, clock, received "retries"',
    ],
  ])("refuses options that cannot be: %j", (options, message) => {
    expect(() => createRequests(options as never)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", message }),
    )
  })
})
