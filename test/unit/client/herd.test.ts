import { resolveBackoff } from "holdfast"
import { describe, expect, it } from "vitest"
import { ReconnectPolicy } from "../../../src/client/reconnect-policy.js"
import { fakeClient } from "../../support/client-fake.js"
import { seededRandom } from "../../support/seeded-random.js"

const OUTAGE_MS = 60_000
const BIN_MS = 100

/** When one client tries during an outage, by the policy it really has. */
function triesOf(random: () => number): number[] {
  const policy = new ReconnectPolicy(
    { backoff: resolveBackoff({ random }), maxRetries: false, closeCodes: {}, shouldReconnect: undefined },
    () => {},
  )
  const tries: number[] = []
  for (let at = 0; ; ) {
    const verdict = policy.decide({ code: 1006, reason: "", wasOpen: at === 0 })
    if ("stop" in verdict) throw new Error(`stopped: ${verdict.stop}`)
    at += verdict.delayMs
    if (at > OUTAGE_MS) return tries
    tries.push(at)
  }
}

/** A crowd that was cut at the same moment. */
function herd(clients: number, seed: number) {
  const random = seededRandom(seed)
  const tries = Array.from({ length: clients }, () => triesOf(random))
  const bins = new Array<number>(OUTAGE_MS / BIN_MS).fill(0)
  for (const at of tries.flat()) bins[Math.floor(at / BIN_MS)] = (bins[Math.floor(at / BIN_MS)] ?? 0) + 1
  const firsts = tries.map((it) => it[0] ?? OUTAGE_MS).sort((a, b) => a - b)
  return {
    /** The largest share of the crowd that tries within 100 ms. */
    peak: Math.max(...bins) / clients,
    latePeak: Math.max(...bins.slice(30_000 / BIN_MS)) / clients,
    meanTries: tries.flat().length / clients,
    medianFirstMs: firsts[clients / 2] ?? OUTAGE_MS,
  }
}

describe("a crowd that is cut off for a minute", () => {
  it("C2 of 10,000 has ≤ 8 % within each 100 ms, ≤ 1 % after 30 s, ≤ 7 tries each on average, the first after ≤ 1.1 s", () => {
    const { peak, latePeak, meanTries, medianFirstMs } = herd(10_000, 1)
    expect(peak).toBeLessThanOrEqual(0.08)
    expect(latePeak).toBeLessThanOrEqual(0.01)
    expect(meanTries).toBeLessThanOrEqual(7)
    expect(medianFirstMs).toBeLessThanOrEqual(1_100)
  })

  it("C2 keeps these figures where chance evens out, in a crowd of 300,000", () => {
    const { peak, latePeak, meanTries } = herd(300_000, 2)
    expect(peak).toBeLessThanOrEqual(0.08)
    expect(latePeak).toBeLessThanOrEqual(0.009)
    expect(meanTries).toBeLessThanOrEqual(6.7)
  })

  it("C1 has no two clients that draw the same delays, nor one that repeats itself at the cap", () => {
    const random = seededRandom(3)
    const all = Array.from({ length: 500 }, () => triesOf(random))
    expect(new Set(all.map((it) => it.join())).size).toBe(500)
    const steps = all.flatMap((it) => it.slice(5).map((at, i) => at - (it[i + 4] ?? 0)))
    expect(new Set(steps).size).toBe(steps.length)
  })
})

/** How often one client connects within a minute to a server that drops it after so long. */
async function connectionsPerMinute(seed: number, lastsMs: number): Promise<number> {
  const { client, clock, network } = fakeClient({ backoff: { random: seededRandom(seed) } })
  network.onDial = (socket) => {
    socket.accept()
    clock.setTimer(() => socket.cut(), lastsMs)
  }
  await clock.advance(60_000)
  await client.close()
  return network.sockets.length
}

describe("a server that accepts and drops after 100 ms", () => {
  it("C3 sees ≤ 13 connections a minute from 99 of 100 clients, and ≤ 8 from the median", async () => {
    const counts: number[] = []
    for (let seed = 0; seed < 500; seed += 1) counts.push(await connectionsPerMinute(seed, 100))
    counts.sort((a, b) => a - b)
    expect(counts[250]).toBeLessThanOrEqual(8)
    expect(counts[495]).toBeLessThanOrEqual(13)
  })
})

describe("the count of attempts", () => {
  it("C3 goes on when a connection ends before stableAfterMs, and begins anew when it ends after", async () => {
    const { client, clock, network, log } = fakeClient({ stableAfterMs: 5_000 })
    await clock.advance(4_999)
    network.last.cut()
    await clock.advance(1_050)
    expect(client.state).toBe("open")
    await clock.advance(4_999)
    network.last.cut()
    expect(log.changes.at(-1)).toMatchObject({ to: "waiting", attempt: 2 })
    await clock.advance(2_050)
    await clock.advance(5_000)
    network.last.cut()
    expect(log.changes.at(-1)).toMatchObject({ to: "waiting", attempt: 1 })
  })
})
