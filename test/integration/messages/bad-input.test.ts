/**
 * Messages that are well-formed frames and nothing else: what a peer may send above the frames, over real sockets. Each is
 * a coded error, or none, and the connection lives on unless a limit says otherwise.
 */

import { createRequests, createRouter, type HubConnection, lengthPrefixed, type Payload } from "holdfast"
import { startTestHub } from "holdfast/testing/node"
import { describe, expect, it } from "vitest"
import { until } from "../../support/deadline.js"

type Message = { readonly type: string; readonly [field: string]: unknown }
type Connection = HubConnection<Message, Message>

/** A hub whose router answers `alive`, and a client of it that sends whatever it likes. */
async function start(prepare: (router: ReturnType<typeof newRouter>) => unknown = () => {}) {
  const server = await startTestHub<Message, Message>({ hub: { closeTimeoutMs: 500 } })
  const router = newRouter().answer("alive", () => true)
  prepare(router)
  router.mount(server.hub)
  const errors: { stage: string; code: unknown }[] = []
  server.hub.on("error", ({ stage, error }) => {
    errors.push({ stage, code: (error as { code?: unknown }).code ?? (error as Error).message })
  })
  const { client, connection } = await server.connect()
  return {
    server,
    client,
    connection,
    errors,
    /** The next message, once the connection has proved to be well. */
    async answers(): Promise<unknown[]> {
      client.sendRaw('{"type":"alive","id":"well?"}')
      const answers: unknown[] = []
      for (;;) {
        const answer = (await client.next()) as Message
        if (answer.id === "well?") return answers
        answers.push(answer)
      }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function newRouter() {
  return createRouter<Message, Connection, Readonly<Record<string, unknown>>>()
}

/** A validator that does as it is told. */
function schemaOf(validate: (value: unknown) => unknown) {
  return { "~standard": { version: 1 as const, vendor: "test", validate: validate as never } }
}

const refusal = (code: string, message: string) => ({ type: "error", code, message })
const DECODE = [{ stage: "decode", code: "DECODE_FAILED" }]

describe("T1 T2 T4: messages that are none", () => {
  it.each([
    ["JSON that is too deep", `${"[".repeat(30_000)}${"]".repeat(30_000)}`],
    ["a key that reaches the prototype", '{"type":"alive","__proto__":{"isAdmin":true}}'],
    ["the same, escaped", '{"type":"alive","\\u005f\\u005fproto__":{}}'],
    ["a constructor with a prototype", '{"constructor":{"prototype":{"isAdmin":true}}}'],
    ["half of it", '{"type":"alive"'],
    ["bytes, where text is due", new Uint8Array([1, 2, 3])],
  ] as [string, Payload][])("%s: an error with a code, and no answer", async (_what, raw) => {
    await using place = await start()
    place.client.sendRaw(raw)
    expect(await place.answers()).toEqual([])
    expect(place.errors).toEqual(DECODE)
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined()
  })

  it("JSON as large as a message may be is one of an unknown type; a larger one is closed with 1009", async () => {
    await using place = await start()
    const large = (bytes: number) => `{"type":"large","of":"${"x".repeat(bytes - 24)}"}`
    expect(large(65_536)).toHaveLength(65_536)
    place.client.sendRaw(large(65_536))
    expect(await place.answers()).toEqual([
      refusal("UNKNOWN_TYPE", "messages of this type are not handled here"),
    ])
    place.client.sendRaw(large(65_537))
    expect(await place.client.closed()).toMatchObject({ code: 1009 })
  })

  it.each([
    "null",
    "5",
    '"alive"',
    "[]",
    "{}",
    '{"type":7}',
    '{"type":"toString"}',
    '{"type":{"type":"alive"}}',
  ])("%s: refused, and nothing of it repeated", async (raw) => {
    await using place = await start()
    place.client.sendRaw(raw)
    expect(await place.answers()).toEqual([
      refusal("UNKNOWN_TYPE", "messages of this type are not handled here"),
    ])
    expect(place.errors).toEqual([])
  })
})

describe("T4: validators that are no help", () => {
  it("one that throws: the peer is refused, the cause is told here", async () => {
    const schema = schemaOf(() => {
      throw new Error("the validator broke")
    })
    await using place = await start((router) => router.on("checked", schema, () => {}))
    place.client.sendRaw('{"type":"checked","secret":"s3cret"}')
    expect(await place.answers()).toEqual([refusal("INVALID_MESSAGE", "the message does not fit its schema")])
    expect(place.errors).toEqual([{ stage: "listener", code: "REQUEST_FAILED" }])
  })

  it("one that is slow: the peer is not read meanwhile, and order is kept", async () => {
    let release = () => {}
    const slow = new Promise<void>((resolve) => {
      release = resolve
    })
    const schema = schemaOf(async (value) => {
      await slow
      return { value }
    })
    const handled: unknown[] = []
    await using place = await start((router) =>
      router.on("checked", schema, ({ message }) => void handled.push((message as Message).n)),
    )
    const count = 4_000
    for (let n = 0; n < count; n += 1)
      place.client.sendRaw(`{"type":"checked","n":${n},"filler":"${"x".repeat(60)}"}`)
    await until(() => place.connection.isReadingPaused, "reading to pause")
    expect(place.connection.messagesIn).toBeLessThan(count)
    expect(handled).toEqual([])
    release()
    expect(await place.answers()).toEqual([])
    expect(handled).toEqual(Array.from({ length: count }, (_, n) => n))
  })
})

describe("T5: answers and ids that are wrong", () => {
  it("replies to requests that nobody made are counted, and not answered", async () => {
    await using place = await start()
    const requests = createRequests()
    const asked = requests.request(place.connection, { type: "name?" }, { timeoutMs: 20_000 })
    for (const id of ["1e9", '"nobody"', "-1", "null"]) {
      place.client.sendRaw(`{"type":"reply","id":${id},"data":"x"}`)
      place.client.sendRaw(`{"type":"error","id":${id},"code":"X","message":"x"}`)
    }
    expect((await place.answers())[0]).toMatchObject({ type: "name?", id: 1 })
    // an answer with no id is none at all
    expect(requests.unmatched).toBe(6)
    place.client.sendRaw('{"type":"reply","id":1,"data":"ada"}')
    expect(await asked).toBe("ada")
    // doubled
    place.client.sendRaw('{"type":"reply","id":1,"data":"eve"}')
    expect(await place.answers()).toEqual([])
    expect([requests.unmatched, requests.pending(place.connection)]).toEqual([7, 0])
  })

  it("a reply behind its deadline is counted, and keeps nothing", async () => {
    await using place = await start()
    const requests = createRequests()
    const asked = requests.request(place.connection, { type: "name?" }, { timeoutMs: 20 })
    await expect(asked).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" })
    place.client.sendRaw('{"type":"reply","id":1,"data":"late"}')
    await place.answers()
    expect([requests.unmatched, requests.pending(place.connection)]).toEqual([1, 0])
  })

  it("two requests with one id are answered both, each where it stands", async () => {
    await using place = await start((router) => router.answer("twice", ({ message }) => message.n))
    for (const n of [1, 2]) place.client.sendRaw(`{"type":"twice","id":"same","n":${n}}`)
    expect(await place.answers()).toEqual([
      { type: "reply", id: "same", data: 1 },
      { type: "reply", id: "same", data: 2 },
    ])
  })
})

describe("T3: packets that are wrong", () => {
  it("are an error each, whose bytes are passed over; what is cut off is told at the end", async () => {
    await using server = await startTestHub({
      hub: { codec: lengthPrefixed({ types: { good: 1 }, maxPayloadBytes: 100 }) },
    })
    const codes: unknown[] = []
    const received: number[] = []
    server.hub.on("error", ({ error }) => codes.push((error as { code?: unknown }).code))
    server.hub.on("message", ({ data }) => received.push(data.payload.length))
    const { client, connection } = await server.connect()
    const header = (type: number, length: number) => [type, length >> 8, length & 0xff, 0]
    const packet = (type: number, length: number) => [...header(type, length), ...new Uint8Array(length)]
    client.sendRaw(new Uint8Array([...packet(9, 5), ...packet(1, 3), ...packet(1, 101), ...packet(1, 100)]))
    // announced, and not there
    client.sendRaw(new Uint8Array([...header(1, 90), 1, 2, 3]))
    await until(() => received.length === 2, "both good packets")
    await client.close()
    await connection.closed
    expect(received).toEqual([3, 100])
    expect(codes).toEqual(["PACKET_TYPE_UNKNOWN", "PACKET_TOO_BIG", "PACKET_TRUNCATED"])
  })
})
