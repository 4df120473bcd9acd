import { createServer } from "node:http"
import { setImmediate as turn } from "node:timers/promises"
import { createHub, type Given, text } from "holdfast"
import { type AttachOptions, attach } from "holdfast/server"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { MemoryStream, upgradeInMemory } from "../../support/memory-upgrade.js"

/** A hub on a server without a network, and what its streams were answered. */
function place(options: Given<AttachOptions> = {}) {
  const clock = new VirtualClock()
  const server = createServer()
  const hub = createHub<string, string>({ codec: text(), clock, heartbeat: false, logger: false })
  const attachment = attach(server, hub, { clock, logger: false, ...options })
  return {
    clock,
    server,
    hub,
    attachment,
    /** A client comes. */
    come() {
      const stream = new MemoryStream()
      upgradeInMemory(server, stream)
      return stream
    },
  }
}

/** The status that a stream was answered with; 0 for none yet. */
function statusOf(stream: MemoryStream): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(Buffer.concat(stream.written).toString("latin1"))?.[1] ?? 0)
}

/** Does something after so many turns of the microtask queue. */
async function afterMicrotasks(count: number, work: () => void): Promise<void> {
  for (let i = 0; i < count; i += 1) await undefined
  work()
}

/** More than there are between the word of authenticate and the handshake. */
const MOMENTS = Array.from({ length: 25 }, (_, i) => i)

describe("R2: an attachment that takes no more upgrades", () => {
  it.each(MOMENTS)(
    "lets nobody in, nor forgets him, %d microtasks after authenticate said yes",
    async (moment) => {
      const it = place({ authenticate: async () => undefined })
      const stream = it.come()
      let isInBefore = false
      await afterMicrotasks(moment, () => {
        isInBefore = it.hub.size === 1
        it.attachment.close()
      })
      await turn()
      expect([it.hub.size, statusOf(stream)]).toEqual(isInBefore ? [1, 101] : [0, 503])
      for (const connection of it.hub.connections.values()) connection.terminate()
      await turn()
      expect(it.hub.listenerCount("close")).toBe(0)
    },
  )

  it.each(MOMENTS)(
    "lets nobody stay whom a drain finds on the way in, %d microtasks after a yes",
    async (moment) => {
      const it = place({ authenticate: async () => undefined })
      it.come()
      await afterMicrotasks(moment, () => void it.attachment.drain({ windowMs: 0 }))
      await it.clock.advance(10_000)
      await turn()
      expect(it.hub.size).toBe(0)
    },
  )
})

describe("S50: a drain that is begun again from within", () => {
  it("is one drain, whoever begins it", async () => {
    const reports: Promise<unknown>[] = []
    const lines: unknown[] = []
    const log = (fields: object) => void lines.push((fields as { event: string }).event)
    const it = place({
      authenticate: (_request, { signal }) => {
        signal.addEventListener("abort", () => void reports.push(it.attachment.drain()))
        return new Promise(() => {})
      },
      logger: { debug() {}, info: log, warn() {}, error() {} },
    })
    it.come()
    reports.push(it.attachment.drain({ windowMs: 0 }))
    await it.clock.advance(0)
    expect(reports).toHaveLength(2)
    expect(reports[0]).toBe(reports[1])
    expect(await reports[0]).toMatchObject({ closed: 0, forced: 0 })
    expect(lines.filter((it) => it === "drain.begin")).toHaveLength(1)
  })
})

describe("R2: upgrades that a shared limiter is asked about", () => {
  function limited() {
    const answers: (() => void)[] = []
    const asked: string[] = []
    const consume = () => new Promise<void>((resolve) => answers.push(resolve))
    const authenticate = () => void asked.push("authenticate")
    return { ...place({ authenticate, limits: { sharedLimiter: { consume } } }), answers, asked }
  }

  it("are refused when the attachment closes meanwhile, and nobody is asked who they are", async () => {
    const it = limited()
    const stream = it.come()
    it.attachment.close()
    it.answers[0]?.()
    await turn()
    expect([statusOf(stream), it.asked, it.hub.size]).toEqual([503, [], 0])
  })

  it("are over when the client goes meanwhile, and nobody is asked who it was", async () => {
    const it = limited()
    const stream = it.come()
    stream.destroy()
    await turn()
    it.answers[0]?.()
    await turn()
    expect([statusOf(stream), it.asked, it.hub.stats().upgrades]).toEqual([0, [], { gone: 1 }])
  })
})

/** Answers that come after a turn of the microtask queue each: from the shared limiter, and from authenticate. */
const SLOW: Given<AttachOptions> = {
  authenticate: async () => ({ userId: "ada" }),
  limits: { connections: 1, perAddress: 1, perUser: 1, sharedLimiter: { consume: async () => {} } },
}

describe("S40: a client that goes on its way in", () => {
  it.each(MOMENTS)("leaves its place to the next one, %d microtasks on", async (moment) => {
    const it = place(SLOW)
    const stream = it.come()
    await afterMicrotasks(moment, () => void stream.destroy())
    await turn()
    await it.clock.advance(10_000)
    expect([it.hub.size, it.attachment.ready()]).toEqual([0, { ready: true, reasons: [] }])
    const next = it.come()
    await turn()
    expect([statusOf(next), it.hub.size]).toEqual([101, 1])
    const { accepted = 0, gone = 0 } = it.hub.stats().upgrades
    expect(accepted + gone).toBe(2)
  })

  it.each(MOMENTS)("or resets, or ends its side, is no error, %d microtasks on", async (moment) => {
    const errors: unknown[] = []
    for (const go of [
      (stream: MemoryStream) => stream.destroy(new Error("ECONNRESET")),
      (stream: MemoryStream) => stream.receiveEnd(),
    ]) {
      const it = place(SLOW)
      it.attachment.on("error", (event) => errors.push(event))
      const stream = it.come()
      await afterMicrotasks(moment, () => void go(stream))
      await turn()
      await it.clock.advance(10_000)
      await turn()
      expect([it.hub.size, stream.destroyed, it.attachment.ready().ready]).toEqual([0, true, true])
    }
    expect(errors).toEqual([])
  })
})

describe("S41: an authenticate that calls back", () => {
  type Calls = ReturnType<typeof place>
  it.each<[string, (it: Calls) => unknown, number]>([
    ["closes the attachment", (it) => it.attachment.close(), 503],
    ["begins a drain", (it) => void it.attachment.drain({ windowMs: 0 }), 503],
    [
      "asks how things are",
      (it) => void [it.attachment.ready(), it.attachment.health(), it.hub.stats()],
      101,
    ],
    ["closes the hub", (it) => void it.hub.close(), 101],
    ["broadcasts", (it) => void it.hub.broadcast("hello"), 101],
    ["attaches another hub to the path", (it) => void attach(it.server, it.hub, { clock: it.clock }), 101],
  ])("and %s leaves everything as it should be", async (_, call, status) => {
    for (const isAsync of [false, true]) {
      const it: Calls = place({
        authenticate: () => {
          call(it)
          return isAsync ? Promise.resolve({}) : undefined
        },
      })
      const stream = it.come()
      await turn()
      expect(statusOf(stream)).toBe(status)
      await it.clock.advance(10_000)
      for (const connection of it.hub.connections.values()) connection.terminate()
      await turn()
      expect([it.hub.size, it.attachment.health().connections]).toEqual([0, 0])
    }
  })

  it("and brings in the next client decides about each of them by itself", async () => {
    let depth = 0
    const streams: MemoryStream[] = []
    const it = place({
      authenticate: () => {
        depth += 1
        const userId = `user-${depth}`
        if (depth < 5) streams.push(it.come())
        return { userId, headers: { "X-User": userId } }
      },
    })
    streams.push(it.come())
    await turn()
    const heads = streams.map((stream) => Buffer.concat(stream.written).toString("latin1"))
    const told = heads.map((head) => /X-User: (\S+)/.exec(head)?.[1])
    expect(told).toEqual(["user-5", "user-4", "user-3", "user-2", "user-1"])
    const users = [...it.hub.connections.values()].map(({ userId }) => userId)
    expect(users).toEqual(told)
  })
})
