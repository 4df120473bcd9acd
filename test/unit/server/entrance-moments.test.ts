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
