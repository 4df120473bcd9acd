import { createRouter, jsonRpc, RequestError } from "holdfast"
import { expect, it } from "vitest"
import { fc, runs } from "../../support/properties.js"

/** The least that a router can be mounted on; what it is sent and what listeners throw is written down. */
function makePeer() {
  let listener: ((payload: { data: never }) => unknown) | undefined
  const sent: unknown[] = []
  const failed: unknown[] = []
  return {
    sent,
    failed,
    on(_event: "message", added: typeof listener) {
      listener = added
      return () => {}
    },
    send: (message: unknown) => void sent.push(message),
    async take(data: unknown) {
      try {
        await listener?.({ data: data as never })
      } catch (error) {
        failed.push(error)
      }
    },
  }
}

const nested = fc.jsonValue({ maxDepth: 4 })
/** Nearly messages: the fields that mean something, with anything in them. */
const nearly = fc.record(
  {
    type: fc.oneof(
      fc.constantFrom("say", "ask", "refuse", "fail", "reply", "error", "__proto__", "toString"),
      nested,
    ),
    id: fc.oneof(fc.integer(), fc.string({ maxLength: 200 }), nested),
    data: nested,
    code: nested,
    message: nested,
  },
  { requiredKeys: [] },
)
const nearlyCalls = fc.record(
  {
    jsonrpc: fc.oneof(fc.constant("2.0"), nested),
    method: fc.oneof(fc.constantFrom("say", "ask", "refuse", "fail", "rpc.discover"), nested),
    id: fc.oneof(fc.integer(), fc.constant(null), nested),
    params: nested,
    result: nested,
    error: nested,
  },
  { requiredKeys: [] },
)

const FAILURE = new Error("ours")

function routerOf(framing?: ReturnType<typeof jsonRpc>) {
  const router = createRouter<unknown, never, Record<string, unknown>>({
    ...(framing && { framing: framing as never }),
  })
  return router
    .on("say", () => {})
    .answer("ask", ({ message }) => JSON.stringify(message).length)
    .on("refuse", async () => {
      throw new RequestError("DENIED", "no")
    })
    .answer("fail", () => {
      throw FAILURE
    })
}

it.each([
  ["tagged messages", undefined, fc.oneof(nested, nearly)],
  ["JSON-RPC", jsonRpc(), fc.oneof(nested, nearlyCalls, fc.array(nearlyCalls, { maxLength: 5 }))],
])(
  "R4: a router takes whatever a codec can hand it, and never answers an answer: %s",
  async (_what, framing, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(fc.array(arbitrary as fc.Arbitrary<unknown>, { maxLength: 10 }), async (messages) => {
        const [peer, other] = [makePeer(), makePeer()]
        routerOf(framing).mount(peer as never)
        routerOf(framing).mount(other as never)
        for (const message of messages) await peer.take(message)
        // nothing but what handlers threw themselves
        for (const error of peer.failed) {
          const errors = error instanceof AggregateError ? error.errors : [error]
          expect(errors.every((it) => it === FAILURE)).toBe(true)
        }
        // one answer for each message at most, which can be written, and which ends there
        expect(peer.sent.length).toBeLessThanOrEqual(messages.length)
        for (const answer of peer.sent) await other.take(JSON.parse(JSON.stringify(answer)))
        expect([other.sent, other.failed]).toEqual([[], []])
      }),
      runs(400),
    )
  },
)
