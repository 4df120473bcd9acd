import { setImmediate as turn } from "node:timers/promises"
import type { Admission, AdmissionContext } from "holdfast/server"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { inTime } from "../../support/deadline.js"
import { Mailbox } from "../../support/mailbox.js"
import { startAttached } from "../../support/server-attached.js"
import { RawClient, textFrame, upgradeRequest } from "../../support/server-raw.js"
import { refusedBy } from "../../support/server-refusal.js"
import { connect } from "../../support/ws-server.js"

describe("S41: authenticate lets in", () => {
  it.each([
    ["at once", () => ({ data: { name: "ann" }, userId: "u1" })],
    ["later", async () => turn({ data: { name: "ann" }, userId: "u1" })],
  ])("%s, with data and a user", async (_, authenticate) => {
    const { url, hub, added, refused, errors } = await startAttached<{ name: string }>({ authenticate })
    const client = await connect(url)
    const connection = await added.next()
    expect(connection.data).toEqual({ name: "ann" })
    expect(connection.userId).toBe("u1")
    expect(connection.remoteAddress).toBe("127.0.0.1")
    hub.user("u1").send("hello ann")
    expect(await client.next()).toBe("hello ann")
    expect([refused.size, errors.size]).toEqual([0, 0])
  })

  it.each([
    ["undefined", () => undefined],
    ["a promise of undefined", async () => {}],
    ["an empty object", () => ({})],
  ])("with nothing known about the client: %s", async (_, authenticate) => {
    const { url, added } = await startAttached({ authenticate: authenticate as () => Admission })
    await connect(url)
    expect(await added.next()).toMatchObject({ data: undefined, userId: undefined })
  })

  it("by what the request says", async () => {
    const { url, added } = await startAttached<string>({
      path: "/ws/:room",
      async authenticate({ headers, url }, { params }) {
        await turn()
        return { data: `${headers.cookie} ${url} ${params.room}` }
      },
    })
    await connect(`${url}/ws/lobby?a=b`, { headers: { Cookie: "session=1" } })
    expect((await added.next()).data).toBe("session=1 /ws/lobby?a=b lobby")
  })

  it("with headers of the 101 answer, for each client its own", async () => {
    const server = await startAttached({
      async authenticate(request) {
        await turn()
        return { headers: { "Set-Cookie": `seen=${request.url}`, "X-Node": "one" } }
      },
      path: ["/a", "/b"],
    })
    const raws = [await RawClient.open(server), await RawClient.open(server)]
    for (const [index, raw] of raws.entries())
      raw.socket.write(upgradeRequest({ target: ["/a", "/b"][index] as string }))
    for (const raw of raws) expect(await raw.status()).toBe(101)
    const heads = raws.map((raw) => raw.received.split("\r\n\r\n")[0]?.split("\r\n").slice(-2))
    expect(heads).toEqual([
      ["Set-Cookie: seen=/a", "X-Node: one"],
      ["Set-Cookie: seen=/b", "X-Node: one"],
    ])
  })

  it("and messages that came while it was deciding are kept, in order", async () => {
    const asked = new Mailbox<() => void>("question")
    const server = await startAttached({
      authenticate: () => new Promise<undefined>((resolve) => asked.put(() => resolve(undefined))),
    })
    const heard = new Mailbox<string>("message")
    server.hub.on("message", ({ data }) => heard.put(data))
    const raw = await RawClient.open(server)
    const early = Array.from({ length: 1_000 }, (_, index) => `message ${index}`)
    raw.socket.write(Buffer.concat([Buffer.from(upgradeRequest()), ...early.slice(0, 500).map(textFrame)]))
    const decide = await asked.next()
    for (const message of early.slice(500)) raw.socket.write(textFrame(message))
    await new Promise((resolve) => raw.socket.write("", resolve))
    decide()
    expect(await heard.take(1_000)).toEqual(early)
    raw.socket.write(textFrame("later"))
    expect(await heard.next()).toBe("later")
  })

  it("and takes its signal and its deadline back", async () => {
    const signals: AbortSignal[] = []
    const clock = new VirtualClock()
    const { url, added } = await startAttached({
      authenticate: (_request, { signal }: AdmissionContext) => void signals.push(signal),
      clock,
    })
    const client = await connect(url)
    const connection = await added.next()
    await client.close()
    await inTime(connection.closed, "the close")
    expect(clock.pending).toBe(0)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
  })
})

describe("S42: headers that authenticate gives", () => {
  const evil: readonly [what: string, headers: Record<string, string>][] = [
    ["a line break in a value", { "X-Name": "a\r\nSet-Cookie: admin=1" }],
    ["a line feed in a value", { "X-Name": "a\nSet-Cookie: admin=1" }],
    ["the end of the head in a value", { "X-Name": "a\r\n\r\n<script>" }],
    ["a line break in a name", { "X-Name\r\nSet-Cookie": "admin=1" }],
    ["a colon in a name", { "X-Name: a": "b" }],
    ["a null character", { "X-Name": "a\0b" }],
    ["a name that is empty", { "": "a" }],
  ]

  it.each(evil)("cannot carry %s into the 101 answer: it is a 500, and an event", async (_, headers) => {
    const { url, hub, errors } = await startAttached({ authenticate: () => ({ headers }) })
    const answer = await refusedBy(url)
    expect(answer).toMatchObject({ status: 500, body: "Internal Server Error" })
    expect(Object.keys(answer.headers).sort()).toEqual(["connection", "content-length", "content-type"])
    expect(await errors.next()).toMatchObject({ stage: "authenticate", error: expect.any(TypeError) })
    expect(hub.size).toBe(0)
  })

  it.each(evil)("cannot carry %s into a refusal either", async (_, headers) => {
    const { url, errors } = await startAttached({ authenticate: async () => ({ status: 401, headers }) })
    const answer = await refusedBy(url)
    expect(answer).toMatchObject({ status: 500, body: "Internal Server Error" })
    expect(Object.keys(answer.headers).sort()).toEqual(["connection", "content-length", "content-type"])
    expect(await errors.next()).toMatchObject({ stage: "authenticate", error: expect.any(TypeError) })
  })
})
