import { createRequests, type HubConnection } from "holdfast"
import { expect, it } from "vitest"
import { PLACES, place } from "../../support/messages-place.js"
import { fc, runs } from "../../support/properties.js"

/** What happens: on this side, at the far end, and to the line between them. */
const often = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary })
const step = fc.oneof(
  often(8, fc.record({ ask: fc.boolean(), timeoutMs: fc.constantFrom(1, 50, 3_000, 20_000) })),
  // of the first ids some are asked and some never are; an answer may come twice
  often(8, fc.record({ answer: fc.integer({ min: 0, max: 9 }), isRefusal: fc.boolean() })),
  often(2, fc.record({ abort: fc.nat({ max: 9 }) })),
  often(4, fc.record({ wait: fc.constantFrom(0, 1, 49, 50, 2_950, 10_000) })),
  often(2, fc.constant({ cut: true })),
  often(1, fc.constant({ close: true })),
)

it.each(PLACES)("T5: every request over a %s ends once, whatever happens in whatever order", async (kind) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (given) => {
      const at = await place(kind)
      const peer = at.peer as HubConnection
      // what comes before anybody listens is kept, and would answer the first request
      peer.on("message", () => {})
      const requests = createRequests({ clock: at.clock, logger: false })
      const ends: unknown[][] = []
      const aborts: AbortController[] = []
      const once = new Set<number>()
      /** What the far end has said about each id, in order. */
      const said = new Map<number, unknown[]>()
      for (const it of given) {
        if ("ask" in it) {
          const abort = new AbortController()
          const mine: unknown[] = []
          ends.push(mine)
          aborts.push(abort)
          const { ask: idempotent, timeoutMs } = it
          if (!idempotent) once.add(ends.length)
          requests.request(peer, { type: "get" }, { idempotent, timeoutMs, signal: abort.signal }).then(
            (value) => mine.push({ value }),
            (error) => mine.push({ code: error.code, data: error.data }),
          )
        } else if ("answer" in it) {
          const { answer: id, isRefusal } = it
          const data = `${said.get(id)?.length ?? 0} about ${id}`
          const before = requests.unmatched + ends.flat().length
          await at.receive({ type: isRefusal ? "error" : "reply", id, data })
          if (requests.unmatched + ends.flat().length > before)
            said.set(id, [
              ...(said.get(id) ?? []),
              isRefusal ? { code: "REQUEST_FAILED", data } : { value: data },
            ])
        } else if ("abort" in it) aborts[it.abort]?.abort()
        else if ("wait" in it) await at.clock.advance(it.wait)
        else if ("cut" in it) await at.cut()
        else void peer.close()
        await at.clock.advance(0)
        const left = at.told().map((message) => (message as { id: number }).id)
        for (const id of once) {
          const times = left.filter((it) => it === id).length
          expect(times).toBeLessThanOrEqual(1)
          // what has left, and may not leave again, ends with its line
          if ("cut" in it && times === 1) expect(ends[id - 1]).toHaveLength(1)
        }
      }
      await at.clock.advance(60_000)
      expect(ends.map((it) => it.length)).toEqual(ends.map(() => 1))
      for (const [index, [end]] of ends.entries()) {
        const { code } = end as { code?: string }
        const isTheirs = code === undefined || code === "REQUEST_FAILED"
        if (isTheirs) expect(said.get(index + 1)).toContainEqual(end)
        else expect(["REQUEST_TIMEOUT", "CONNECTION_LOST", "ABORTED"]).toContain(code)
      }
      expect(requests.pending(peer)).toBe(0)
      requests.close()
      void peer.close()
      await at.clock.advance(60_000)
      expect([at.clock.pending, at.errors]).toEqual([0, []])
    }),
    runs(60),
  )
})
