import { createHub, InvalidOptionError } from "holdfast"
import { type Admission, type AdmissionContext, AuthenticateTimeoutError, attach } from "holdfast/server"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { inTime } from "../../support/deadline.js"
import { Mailbox } from "../../support/mailbox.js"
import { RecordingLogger } from "../../support/recording-logger.js"
import { startAttached } from "../../support/server-attached.js"
import { startHttp, startHttps } from "../../support/server-http.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"
import { refusedBy } from "../../support/server-refusal.js"

/** One question that `authenticate` was asked, and the ways to answer it. */
interface Question {
  readonly signal: AbortSignal
  resolve(admission: Admission): void
  reject(error: unknown): void
}

/** An `authenticate` that leaves the answers to the test. */
function questions() {
  const asked = new Mailbox<Question>("question")
  const authenticate = (_request: unknown, { signal }: AdmissionContext) =>
    new Promise<Admission>((resolve, reject) => asked.put({ signal, resolve, reject }))
  return { asked, authenticate }
}

const aborted = (signal: AbortSignal) =>
  new Promise<unknown>((resolve) => {
    if (signal.aborted) resolve(signal.reason)
    else signal.addEventListener("abort", () => resolve(signal.reason))
  })

describe("S41: authenticate that takes too long", () => {
  it.each([
    ["10 s by default", undefined, 10_000],
    ["as long as the option says", 700, 700],
  ])(
    "has %s: then it is a 503 and an event, and its signal is aborted",
    async (_, authenticateTimeoutMs, ms) => {
      const { asked, authenticate } = questions()
      const clock = new VirtualClock()
      const { url, hub, errors, refused } = await startAttached({
        authenticate,
        authenticateTimeoutMs,
        clock,
      })
      const answer = refusedBy(url)
      const { signal } = await asked.next()
      await clock.advance(ms - 1)
      expect(signal.aborted).toBe(false)
      await clock.advance(1)
      expect(signal.reason).toBeInstanceOf(AuthenticateTimeoutError)
      expect(await answer).toMatchObject({ status: 503, body: "Service Unavailable" })
      expect(await errors.next()).toEqual({ stage: "authenticate", error: signal.reason })
      expect(await refused.next()).toMatchObject({ status: 503 })
      expect(hub.size).toBe(0)
    },
  )

  it.each([
    ["lets in", (it: Question) => it.resolve({})],
    ["refuses", (it: Question) => it.resolve({ status: 401 })],
    ["rejects", (it: Question) => it.reject(new Error("too late"))],
  ])("changes nothing any more when it %s at last", async (_, answerLate) => {
    const { asked, authenticate } = questions()
    const server = await startAttached({ authenticate, authenticateTimeoutMs: 1 })
    expect(await refusedBy(server.url)).toMatchObject({ status: 503 })
    answerLate(await asked.next())
    await server.idle()
    expect([server.hub.size, server.errors.size, server.refused.size]).toEqual([0, 1, 1])
  })
})

describe("S41: authenticate that fails", () => {
  const error = new Error("the database has gone: password=secret")

  it.each<[string, () => Admission | Promise<Admission>]>([
    [
      "throws",
      () => {
        throw error
      },
    ],
    [
      "rejects",
      async () => {
        throw error
      },
    ],
  ])("because it %s is a 500 that tells nothing, and an event", async (_, authenticate) => {
    const { url, hub, errors, refused } = await startAttached({ authenticate })
    expect(await refusedBy(url)).toMatchObject({ status: 500, body: "Internal Server Error" })
    expect(await errors.next()).toEqual({ stage: "authenticate", error })
    expect(await refused.next()).toMatchObject({ status: 500 })
    expect(hub.size).toBe(0)
  })

  it("with no reason at all is a 500 too", async () => {
    const { url, errors } = await startAttached({ authenticate: () => Promise.reject(undefined) })
    expect(await refusedBy(url)).toMatchObject({ status: 500 })
    expect(await errors.next()).toEqual({ stage: "authenticate", error: undefined })
  })

  it("is logged where nobody listens", async () => {
    const logger = new RecordingLogger()
    const target = await startHttp()
    attach(target.server, createHub({ logger: false }), {
      logger,
      authenticate: () => {
        throw error
      },
    })
    expect(await refusedBy(target.url)).toMatchObject({ status: 500 })
    const fields = { event: "error", err: error, stage: "authenticate", correlationId: expect.any(String) }
    expect(logger.lines.filter(({ level }) => level === "error")).toMatchObject([{ fields }])
  })

  it.each([
    ["true", true],
    ["false", false],
    ["null", null],
    ["a number", 401],
    ["a string", "alice"],
    ["a list", []],
    ["a function", () => ({})],
    ["a refusal without a status", { status: undefined }],
    ["a status that is no refusal", { status: 200 }],
    ["a status that would let in", { status: 101 }],
    ["a status above all", { status: 600 }],
    ["a status as text", { status: "401" }],
    ["a status in words", { status: "active", data: {} }],
    ["a body that is no text", { status: 401, body: Buffer.from("no") }],
    ["an answer of the Fetch API", new Response("no", { status: 401 })],
    ["a close code that may not be sent", { status: 401, closeCode: 1006 }],
    ["a reason that is no text", { status: 401, reason: {} }],
    ["a close reason that is no text", { status: 401, closeCode: 4401, closeReason: 5 }],
    ["a subprotocol that is no text", { protocol: ["v1"] }],
    // of these nothing was sent, or one cookie that was both
    ["no headers", { headers: null }],
    ["headers of the Fetch API", { headers: new Headers({ "Set-Cookie": "a=1" }) }],
    ["headers in a map", { status: 401, headers: new Map([["X-A", "b"]]) }],
    ["a list of headers", { headers: ["X-A: b"] }],
    ["text for headers", { headers: "X-A: b" }],
    ["a header that is a list", { headers: { "Set-Cookie": ["a=1", "b=2"] } }],
    // these were found only once the handshake had been answered, and the client saw a connection break
    ["a user without a name", { userId: "" }],
    ["a user who is a number", { userId: 7 }],
    ["a user with a name above 512 bytes", { userId: "ä".repeat(257) }],
  ])("to make sense is a 500 and an event: %s", async (_, nonsense) => {
    const { url, hub, errors } = await startAttached({
      authenticate: (async () => nonsense) as () => Promise<Admission>,
    })
    expect(await refusedBy(url)).toMatchObject({ status: 500, body: "Internal Server Error" })
    expect(await errors.next()).toEqual({ stage: "authenticate", error: expect.any(InvalidOptionError) })
    expect(hub.size).toBe(0)
  })
})

describe("S41: a client that goes while authenticate decides", () => {
  // a closed tab, a client's own timeout and most libraries send FIN, and nobody is reading yet
  it.each([
    ["resets", startHttp, (it: RawClient) => it.socket.resetAndDestroy()],
    ["closes", startHttp, (it: RawClient) => it.socket.destroy()],
    ["ends its side", startHttp, (it: RawClient) => it.socket.end()],
    ["closes its TLS connection", startHttps, (it: RawClient) => it.socket.destroy()],
    ["ends its side of TLS", startHttps, (it: RawClient) => it.socket.end()],
  ])(
    "because it %s is told by the signal, and is neither an error nor a refusal",
    async (_, startTarget, go) => {
      const { asked, authenticate } = questions()
      const server = await startAttached({ authenticate }, { target: await startTarget() })
      const raw = await RawClient.open(server)
      raw.socket.write(upgradeRequest())
      const { signal, resolve } = await asked.next()
      go(raw)
      expect(await inTime(aborted(signal), "the signal")).toEqual(new Error("the client has gone"))
      await server.idle()
      resolve({})
      await new Promise((done) => setImmediate(done))
      expect([server.hub.size, server.errors.size, server.refused.size]).toEqual([0, 0, 0])
    },
  )
})
