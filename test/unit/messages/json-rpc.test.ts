import {
  createRequests,
  createRouter,
  type HubConnection,
  jsonRpc,
  jsonRpcParseError,
  RequestError,
} from "holdfast"
import { describe, expect, it, vi } from "vitest"
import { z } from "zod"
import { place } from "../../support/messages-place.js"
import vectors from "../../vectors/json-rpc.json" with { type: "json" }

const failure = (code: number, message: string, id: unknown, data?: unknown) => ({
  jsonrpc: "2.0",
  error: { code, message, ...(data !== undefined && { data }) },
  id,
})

const call = (method: string, params?: unknown, id?: unknown) => ({ jsonrpc: "2.0", method, params, id })

const routerOf = (options = {}) =>
  createRouter<unknown, HubConnection, Record<string, unknown>, "method">({ framing: jsonRpc(options) })

/** A hub with the methods of the specification's examples. */
async function calculator() {
  const at = await place("hub", { onDecodeError: jsonRpcParseError })
  const notified: unknown[] = []
  const note = ({ message }: { message: { method: string } & Record<string, unknown> }) =>
    notified.push([message.method, message.params])
  routerOf()
    .answer("subtract", ({ message: { params } }) => {
      if (Array.isArray(params)) return params[0] - params[1]
      const { minuend, subtrahend } = params as { minuend: number; subtrahend: number }
      return minuend - subtrahend
    })
    .answer("sum", ({ message: { params } }) => (params as number[]).reduce((sum, it) => sum + it, 0))
    .answer("get_data", () => ["hello", 5])
    .on("update", note)
    .on("notify_hello", note)
    .on("notify_sum", note)
    .mount(at.target)
  return { ...at, notified }
}

describe("T5: the examples of the JSON-RPC 2.0 specification", () => {
  it.each(vectors.cases)("$name", async ({ frame, answer }) => {
    const { receiveRaw, told } = await calculator()
    await receiveRaw(frame)
    expect(told()).toEqual(answer === undefined ? [] : [answer])
  })

  it("notify", async () => {
    const { receiveRaw, notified } = await calculator()
    for (const { frame } of vectors.cases.filter(({ answer }) => answer === undefined))
      await receiveRaw(frame)
    expect(notified).toEqual([
      ["update", [1, 2, 3, 4, 5]],
      ["notify_sum", [1, 2, 4]],
      ["notify_hello", [7]],
    ])
  })
})

describe("T5: a router with jsonRpc()", () => {
  it.each([
    [{ method: "a", id: 1 }],
    [{ jsonrpc: "1.0", method: "a", id: 1 }],
    [{ jsonrpc: 2, method: "a", id: 1 }],
    [call("a", [], {})],
    [call("a", [], true)],
    [call("a", [], "x".repeat(129))],
    [call("a", "params", 1)],
    [call("a", null, 1)],
    [{ jsonrpc: "2.0", id: 1 }],
    [{ jsonrpc: "2.0", result: 1 }],
    [null],
    ["a"],
    [7],
  ])("refuses what is no request, and the connection lives: %j", async (message) => {
    const { target, receive, told, errors } = await place("hub")
    const handler = vi.fn(() => "fine")
    routerOf().answer("a", handler).mount(target)
    await receive(message, call("a", undefined, 1))
    expect(told()).toEqual([
      failure(-32600, "Invalid Request", null),
      { jsonrpc: "2.0", result: "fine", id: 1 },
    ])
    expect(handler).toHaveBeenCalledOnce()
    expect(errors).toEqual([])
  })

  it.each([[""], ["a"], [0], [-1.5], [null]])("answers by the id %j", async (id) => {
    const { target, receive, told } = await place("hub")
    routerOf()
      .answer("a", () => 1)
      .mount(target)
    await receive(call("a", [], id))
    expect(told()).toEqual([{ jsonrpc: "2.0", result: 1, id }])
  })

  it("answers every request, with null where nobody means to, and no notification", async () => {
    const { target, receive, told } = await place("hub")
    routerOf()
      .on("on", () => "not for the peer")
      .answer("nothing", () => undefined)
      .answer("value", () => 0)
      .mount(target)
    await receive(call("on", [], 1), call("nothing", [], 2), call("value", [], 3), call("value", []))
    expect(told()).toEqual([
      { jsonrpc: "2.0", result: null, id: 1 },
      { jsonrpc: "2.0", result: null, id: 2 },
      { jsonrpc: "2.0", result: 0, id: 3 },
    ])
  })

  it("says what went wrong in the specification's codes, and no more than it should", async () => {
    const { target, receive, told, errors } = await place("hub")
    routerOf()
      .answer("typed", z.object({ params: z.tuple([z.number()]) }), ({ message }) => message.params[0])
      .answer("broken", () => {
        throw new Error("secret")
      })
      .answer("number", () => {
        throw new RequestError(-32050, "no such user", { data: [1] })
      })
      .answer("word", () => {
        throw new RequestError("NOT_FOUND", "no such user", { data: [1] })
      })
      .answer("cycle", () => 1n)
      .mount(target)
    await receive(
      call("typed", [5], 1),
      call("typed", ["5"], 2),
      call("broken", [], 3),
      call("number", [], 4),
      call("word", [], 5),
      call("cycle", [], 6),
      call("typed", ["5"]),
      call("broken", []),
      call("number", []),
    )
    expect(told()).toEqual([
      { jsonrpc: "2.0", result: 5, id: 1 },
      failure(-32602, "Invalid params", 2),
      failure(-32603, "Internal error", 3),
      failure(-32050, "no such user", 4, [1]),
      failure(-32000, "no such user", 5, { reason: "NOT_FOUND", data: [1] }),
      failure(-32603, "Internal error", 6),
    ])
    expect(errors.map(({ error }) => (error as Error).message)).toEqual([
      "secret",
      "object cannot be JSON: Do not know how to serialize a BigInt",
      "secret",
    ])
  })

  it("handles a batch in order, however long each call takes, and tells each its own", async () => {
    const { target, receive, told, errors, clock } = await place("hub")
    const begun: unknown[] = []
    routerOf()
      .answer("wait", async ({ message: { params } }) => {
        const [ms] = params as [number]
        begun.push(ms)
        await new Promise<void>((resolve) => clock.setTimer(resolve, ms))
        if (ms === 20) throw new Error("twenty")
        return ms
      })
      .mount(target)
    await receive(
      [call("wait", [30], "a"), call("wait", [20], "b"), call("wait", [10], "c")],
      call("wait", [1], "d"),
    )
    expect(begun).toEqual([30])
    await clock.advance(100)
    expect(begun).toEqual([30, 20, 10, 1])
    expect(told()).toEqual([
      [
        { jsonrpc: "2.0", result: 30, id: "a" },
        failure(-32603, "Internal error", "b"),
        { jsonrpc: "2.0", result: 10, id: "c" },
      ],
      { jsonrpc: "2.0", result: 1, id: "d" },
    ])
    expect(errors).toMatchObject([{ error: { message: "twenty" } }])
  })

  it("reports all that failed in a batch", async () => {
    const { target, receive, errors } = await place("hub")
    routerOf()
      .on("throw", () => {
        throw new Error("no")
      })
      .mount(target)
    await receive([call("throw"), call("throw", [], 1)])
    expect(errors).toMatchObject([{ error: { errors: [Error("no"), Error("no")] } }])
  })

  it("refuses a batch whose answer cannot be encoded, call by call", async () => {
    const { target, receive, told } = await place("hub")
    routerOf()
      .answer("big", () => 1n)
      .on("note", () => {})
      .mount(target)
    await receive([call("big", [], 1), call("note"), call("big", [], 2)])
    expect(told()).toEqual([[failure(-32603, "Internal error", 1), failure(-32603, "Internal error", 2)]])
  })

  it("has a limit for batches: the answers to a flood would be larger than the flood", async () => {
    const { target, receive, told } = await place("hub")
    const handler = vi.fn()
    routerOf({ maxBatch: 2 }).on("a", handler).mount(target)
    await receive([call("a"), call("a")], [call("a"), call("a"), call("a")])
    await receive(Array(20_000).fill(1))
    expect(handler).toHaveBeenCalledTimes(2)
    expect(told()).toEqual([
      failure(-32600, "Invalid Request", null),
      failure(-32600, "Invalid Request", null),
    ])
    expect(() => jsonRpc({ maxBatch: 0 })).toThrow("jsonRpc.maxBatch must be a whole number ≥ 1, received 0")
    expect(() => jsonRpc({ max: 9 } as never)).toThrow('jsonRpc.max must be one of maxBatch, received "max"')
  })
})

describe("T5: requests with jsonRpc()", () => {
  const requestsOf = (clock: never) =>
    createRequests<Record<string, unknown>, "method">({ framing: jsonRpc(), clock })

  it("are what the specification has, and are answered by it", async () => {
    const { peer, receive, told, clock } = await place("connection")
    const requests = requestsOf(clock as never)
    const answers = Promise.allSettled([
      requests.request(peer, { method: "subtract", params: [42, 23] }),
      requests.request(peer, { method: "foobar" }),
      requests.request(peer, { method: "word" }),
      requests.request(peer, { method: "null" }),
    ])
    await clock.advance(0)
    expect(told()).toEqual([
      { jsonrpc: "2.0", method: "subtract", params: [42, 23], id: 1 },
      { jsonrpc: "2.0", method: "foobar", id: 2 },
      { jsonrpc: "2.0", method: "word", id: 3 },
      { jsonrpc: "2.0", method: "null", id: 4 },
    ])
    await receive(failure(-32601, "Method not found", 2), { jsonrpc: "2.0", result: 19, id: 1 }, [
      failure(-32000, "no", 3, { reason: "NOT_FOUND", data: 5 }),
      { jsonrpc: "2.0", result: null, id: 4 },
    ])
    expect(await answers).toEqual([
      { status: "fulfilled", value: 19 },
      {
        status: "rejected",
        reason: expect.objectContaining({ reason: -32601, message: "Method not found" }),
      },
      {
        status: "rejected",
        reason: expect.objectContaining({ reason: "NOT_FOUND", message: "no", data: 5 }),
      },
      { status: "fulfilled", value: null },
    ])
  })

  it.each([
    [failure(-32700, "Parse error", null)],
    [{ jsonrpc: "2.0", result: 1, id: 7 }],
    [{ jsonrpc: "2.0", result: 1, id: "1" }],
  ])("count replies that nobody waits for: %j", async (reply) => {
    const { peer, receive, clock } = await place("connection")
    const requests = requestsOf(clock as never)
    const strays: unknown[] = []
    requests.on("unmatched", ({ reply: { id } }) => strays.push(id))
    void requests.request(peer, { method: "a" }).catch(() => {})
    await receive(reply)
    expect([requests.unmatched, requests.pending(peer), strays]).toEqual([1, 1, [reply.id]])
  })
})

describe("T5: a batch of JSON-RPC", () => {
  it("has 100 calls at most, unless told otherwise", () => {
    const calls = (count: number) => Array(count).fill({ jsonrpc: "2.0", method: "a" })
    expect(jsonRpc().read(calls(100))).toHaveLength(100)
    expect(jsonRpc().read(calls(101))).toMatchObject({ kind: "malformed" })
  })
})
