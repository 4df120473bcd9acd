import { createHub, createRequests, json, type RequestOptions } from "holdfast"
import { type FakeSocket, socketPair, VirtualClock } from "holdfast/testing"
import { describe, expect, it, vi } from "vitest"

type Asked = { type: string; id: string }

/** A hub with so many members of "lobby", named by letters, who do with a request what they are told to. */
function lobby(size: number, behaviour: (member: string, asked: Asked, far: FakeSocket) => unknown) {
  const clock = new VirtualClock()
  const encode = vi.fn(json().encode)
  const codec = { ...json<unknown, Record<string, unknown>>(), encode }
  const hub = createHub({ clock, codec, heartbeat: false, logger: false })
  const asked: [string, Asked][] = []
  const errors: unknown[] = []
  hub.on("error", ({ error }) => errors.push(error))
  for (let i = 0; i < size; i += 1) {
    const id = String.fromCharCode(97 + i)
    const [socket, far] = socketPair({ clock })
    void hub.add(socket, { id, userId: id.toUpperCase() }).join("lobby")
    far.addEventListener("message", (event) => {
      const request = JSON.parse((event as { data: string }).data) as Asked
      asked.push([id, request])
      const reply = behaviour(id, request, far)
      if (reply) far.send(JSON.stringify(reply))
    })
  }
  const requests = createRequests<{ vote: string }>({ clock })
  return {
    hub,
    clock,
    requests,
    asked,
    errors,
    encode,
    async askAll(selection = hub.to("lobby"), options: RequestOptions = {}) {
      const answers = requests.requestAll(selection, { type: "vote" }, options)
      answers.catch(() => {})
      await clock.advance(options.timeoutMs ?? 10_000)
      const { replies, missing } = await answers
      return { replies, missing: missing.map(({ id, error }) => [id, (error as { code: string }).code]) }
    },
  }
}

const agree = (member: string, { id }: Asked) => ({ type: "reply", id, data: `yes from ${member}` })

describe("T6: requestAll", () => {
  it("asks all members of a room in one frame, and collects what they answer", async () => {
    const { encode, askAll, asked } = lobby(3, agree)
    const { replies, missing } = await askAll()
    expect(replies).toEqual(["a", "b", "c"].map((id) => ({ id, reply: `yes from ${id}` })))
    expect(missing).toEqual([])
    expect(encode).toHaveBeenCalledOnce()
    expect(new Set(asked.map(([, { id }]) => id)).size).toBe(1)
    expect(asked.map(([member]) => member)).toEqual(["a", "b", "c"])
  })

  it("says who gave no answer, and why, and rejects because of none of them", async () => {
    const { askAll, errors } = lobby(4, (member, asked, far) => {
      if (member === "a") return agree(member, asked)
      if (member === "b") return { type: "error", id: asked.id, code: "BUSY", message: "not now" }
      if (member === "c") far.terminate()
      return undefined
    })
    expect(await askAll(undefined, { timeoutMs: 500 })).toEqual({
      replies: [{ id: "a", reply: "yes from a" }],
      missing: [
        ["b", "REQUEST_FAILED"],
        ["c", "CONNECTION_LOST"],
        ["d", "REQUEST_TIMEOUT"],
      ],
    })
    expect(errors).toEqual([])
  })

  it("does not wait for its time when everybody has answered", async () => {
    const { hub, requests, clock } = lobby(2, agree)
    const answers = requests.requestAll(hub.to("lobby"), { type: "vote" }, { timeoutMs: 60_000 })
    await clock.advance(1)
    expect((await answers).replies).toHaveLength(2)
  })

  it.each([
    ["everybody", (hub: ReturnType<typeof lobby>["hub"]) => hub.everybody, ["a", "b", "c"]],
    ["one user", (hub: ReturnType<typeof lobby>["hub"]) => hub.user("B"), ["b"]],
    ["all but one", (hub: ReturnType<typeof lobby>["hub"]) => hub.to("lobby").except("a"), ["b", "c"]],
    ["nobody", (hub: ReturnType<typeof lobby>["hub"]) => hub.to("empty"), []],
  ] as const)("asks %s", async (_, select, expected) => {
    const { hub, askAll, asked } = lobby(3, agree)
    const { replies, missing } = await askAll(select(hub) as never)
    expect([replies.map(({ id }) => id), missing]).toEqual([expected, []])
    expect(asked.map(([member]) => member)).toEqual(expected)
  })

  it("takes each member's answer once, and from nobody else", async () => {
    const { askAll, requests, hub, clock } = lobby(2, (member, asked, far) => {
      const { id } = asked
      if (member === "b") return undefined
      // for itself twice, and nothing that it could say for another
      for (const data of ["first", "second"]) far.send(JSON.stringify({ type: "reply", id, data }))
      return undefined
    })
    expect(await askAll()).toEqual({
      replies: [{ id: "a", reply: "first" }],
      missing: [["b", "REQUEST_TIMEOUT"]],
    })
    expect(requests.unmatched).toBe(1)
    for (const connection of hub.connections.values()) expect(requests.pending(connection)).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it("is given up with its signal", async () => {
    const { hub, requests, clock } = lobby(2, () => undefined)
    const abort = new AbortController()
    const answers = requests.requestAll(hub.to("lobby"), { type: "vote" }, { signal: abort.signal })
    const outcome = answers.catch((error: { code: string }) => error.code)
    await clock.advance(1)
    abort.abort()
    // long enough for the sockets, and not for the requests
    await clock.advance(5_000)
    expect([await outcome, clock.pending]).toEqual(["ABORTED", 0])
  })

  it.each([
    ["given up before it began", { signal: AbortSignal.abort() }, "ABORTED"],
    ["given no time", { timeoutMs: 0 }, "INVALID_OPTION"],
  ])("asks nobody when it is %s", async (_, options, code) => {
    const { hub, requests, asked, clock } = lobby(2, agree)
    const answers = requests.requestAll(hub.to("lobby"), { type: "vote" }, options)
    await expect(answers).rejects.toMatchObject({ code })
    await clock.advance(1)
    expect(asked).toEqual([])
  })

  it("ends when the requests are closed, and asks nobody after that", async () => {
    const { hub, requests, asked, clock } = lobby(2, () => undefined)
    const answers = requests.requestAll(hub.to("lobby"), { type: "vote" }).catch((error: unknown) => error)
    await clock.advance(1)
    requests.close()
    expect(await answers).toMatchObject({ code: "ABORTED" })
    const late = requests.requestAll(hub.to("lobby"), { type: "vote" })
    await expect(late).rejects.toMatchObject({ code: "ABORTED" })
    await clock.advance(5_000) // long enough for the sockets
    expect([asked.length, clock.pending]).toEqual([2, 0])
  })

  it("rejects what cannot be encoded, and waits for nobody", async () => {
    const { hub, requests, clock } = lobby(2, agree)
    const answers = requests.requestAll(hub.to("lobby"), { type: "vote", n: 1n } as never)
    await expect(answers).rejects.toMatchObject({ code: "ENCODE_FAILED" })
    for (const connection of hub.connections.values()) expect(requests.pending(connection)).toBe(0)
    expect(clock.pending).toBe(0)
  })

  it("names members that have too much to answer already", async () => {
    const { hub, clock } = lobby(1, () => undefined)
    const requests = createRequests<{ vote: string }>({ clock, maxPending: 1 })
    const [first, second] = [1, 2].map(() =>
      requests.requestAll(hub.to("lobby"), { type: "vote" }, { timeoutMs: 50 }),
    )
    await clock.advance(50)
    expect((await first)?.missing).toMatchObject([{ id: "a", error: { code: "REQUEST_TIMEOUT" } }])
    expect((await second)?.missing).toMatchObject([{ id: "a", error: { code: "QUEUE_FULL" } }])
  })
})

describe("a selection's connections", () => {
  it("are those of this node that are meant, at this moment, once each", async () => {
    const { hub } = lobby(3, agree)
    const selection = hub.to(["lobby", "other"]).except("b")
    expect(selection.connections.map(({ id }) => id)).toEqual(["a", "c"])
    hub.connections.get("a")?.leave("lobby")
    void hub.connections.get("c")?.join("other")
    expect(selection.connections.map(({ id }) => id)).toEqual(["c"])
    expect(hub.to("empty").connections).toEqual([])
  })
})
