import { readFileSync } from "node:fs"
import { describe, expect, it, onTestFinished, vi } from "vitest"
import { drawHerds } from "../../../bench/herd/chart.js"
import { HERD_CLIENTS, type HerdClient } from "../../../bench/herd/clients.js"
import { toSources, toTable } from "../../../bench/herd/report.js"
import { CROWD, type Herd, SEED, simulate } from "../../../bench/herd/simulate.js"
import { section, withSection } from "../../../bench/page.js"
import { SUBJECTS, type SubjectName } from "../../support/compat-subjects.js"
import { seededRandom } from "../../support/seeded-random.js"

const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8")
const herds = HERD_CLIENTS.map((client) => simulate(client, CROWD, SEED))
const [ours, ...others] = herds as [Herd, ...Herd[]]
const page = read("docs/reconnection.md")

describe("the page about reconnection", () => {
  it("has the tables and the picture that the simulation gives now: `npm run herd` writes them", () => {
    expect(section(page, "herd")).toBe(toTable(herds))
    expect(section(page, "herd-sources")).toBe(toSources(HERD_CLIENTS))
    expect(read("docs/images/herd.svg")).toBe(drawHerds(herds))
  })

  it("C2 is right that ours comes in no spike: ≤ 8 % in any 100 ms, ≤ 1 % after 30 s and at the return", () => {
    expect(ours.worst).toBeLessThanOrEqual(0.08)
    expect(ours.worstLate).toBeLessThanOrEqual(0.01)
    expect(ours.worstReturn).toBeLessThanOrEqual(0.01)
    expect(ours.tries).toBeLessThanOrEqual(7)
    expect(ours.gaveUp).toBe(0)
  })

  it("C2 is right that whoever has a lower worst 100 ms waits longer before the first try", () => {
    const lower = others.filter((it) => it.worst < ours.worst)
    expect(lower.length).toBeGreaterThan(0)
    for (const { firstMs } of lower) expect(firstMs).toBeGreaterThan(2 * ours.firstMs)
  })

  it("C3 is right that ours connects ≤ 8 times a minute to a server that drops it, and 99 of 100 ≤ 13 times", () => {
    expect(ours.perMinute.median).toBeLessThanOrEqual(8)
    expect(ours.perMinute.p99).toBeLessThanOrEqual(13)
  })
})

describe("the simulated clients", () => {
  it.each(["partysocket", "reconnecting-websocket"])("have the version of %s that is installed", (name) => {
    const { version } = JSON.parse(read(`node_modules/${name}/package.json`)) as { version: string }
    expect(clientNamed(name).version).toBe(version)
  })

  it("wait as partysocket does", async () => {
    const real = await delaysOfReal("partysocket")
    expect(real.length).toBeGreaterThan(8)
    expect(real).toEqual(simulated(clientNamed("partysocket"), real.length, Math.random))
  })

  it("wait as reconnecting-websocket does, from the delay that it drew when it was loaded", async () => {
    const real = await delaysOfReal("reconnecting-websocket")
    expect(real.length).toBeGreaterThan(8)
    const drawn = ((real[0] as number) - 1_000) / 4_000
    expect(drawn).toBeGreaterThanOrEqual(0)
    expect(drawn).toBeLessThan(1)
    const expected = simulated(clientNamed("reconnecting-websocket"), real.length, () => drawn)
    // what it drew has a fraction of a millisecond that no timer keeps, and that grows with the delay
    const growth = (ms: number) => ms / (real[0] as number)
    for (const [i, ms] of real.entries()) {
      expect(Math.abs(ms - (expected[i] as number))).toBeLessThanOrEqual(1 + growth(ms))
    }
  })

  it("draw every delay within what their formula allows", () => {
    const random = seededRandom(5)
    const bounds: Record<string, [number, number]> = {
      holdfast: [100, 30_000],
      "socket.io-client": [500, 5_000],
      centrifuge: [500, 20_000],
      convex: [500, 24_000],
      "@atproto/ws-client": [500, 64_000],
      "graphql-ws": [1_300, 19_000],
    }
    for (const [name, [least, most]] of Object.entries(bounds)) {
      const delays = Array.from({ length: 500 }, () => delaysOf(clientNamed(name), 12, random)).flat()
      expect(Math.min(...delays), name).toBeGreaterThanOrEqual(least)
      expect(Math.max(...delays), name).toBeLessThanOrEqual(most)
    }
  })

  it("give the same crowd for the same seed, and another one for another", () => {
    const again = simulate(ours.client, 200, 7)
    expect(simulate(ours.client, 200, 7)).toEqual(again)
    expect(simulate(ours.client, 200, 8).bins).not.toEqual(again.bins)
  })
})

describe("a section of a page", () => {
  it("is replaced between its marks, and nothing else is", () => {
    const text = "a\n<!-- begin: x -->\nold\n<!-- end: x -->\nb\n"
    expect(withSection(text, "x", "new\n")).toBe("a\n<!-- begin: x -->\n\nnew\n\n<!-- end: x -->\nb\n")
    expect(section(withSection(text, "x", "new"), "x")).toBe("new")
    expect(() => withSection(text, "y", "new")).toThrow('no section "y"')
  })
})

function clientNamed(title: string): HerdClient {
  const found = HERD_CLIENTS.find((it) => it.title === title)
  if (!found) throw new Error(`no client ${title}`)
  return found
}

function delaysOf(client: HerdClient, count: number, random: () => number): number[] {
  const retries = client.start(random)
  return Array.from({ length: count }, () => retries.next()).filter((it) => it !== undefined)
}

/** Delays as a timer keeps them: in whole milliseconds. */
function simulated(client: HerdClient, count: number, random: () => number): number[] {
  return delaysOf(client, count, random).map(Math.floor)
}

/** The delays of a real client during two minutes in which every attempt fails at once. */
async function delaysOfReal(name: SubjectName): Promise<number[]> {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const dials: number[] = []
  class FailingSocket extends EventTarget {
    static readonly CLOSING = 2
    readonly readyState = 3
    constructor() {
      super()
      dials.push(Date.now())
      queueMicrotask(() => this.dispatchEvent(Object.assign(new Event("close"), { code: 1006, reason: "" })))
    }
  }
  const client = new SUBJECTS[name]("ws://localhost", [], { WebSocket: FailingSocket })
  await vi.advanceTimersByTimeAsync(120_000)
  client.close()
  return dials.slice(1).map((at, i) => at - (dials[i] as number))
}
