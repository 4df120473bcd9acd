import type { Server } from "node:http"
import * as holdfast from "holdfast"
import * as server from "holdfast/server"
import { expect, it, onTestFinished, vi } from "vitest"
import type { Who } from "../../../bench/load/dialect.js"
import type { BenchServer, ServerNeeds } from "../../../bench/servers/serve.js"
import { until } from "../../support/deadline.js"
import { connect } from "../../support/ws-server.js"

const started = vi.hoisted(() => ({ start: undefined as unknown }))

vi.mock("../../../bench/servers/serve.js", async (original) => ({
  ...(await original<object>()),
  serve(start: unknown) {
    started.start = start
  },
}))
vi.mock("holdfast", async (original) => {
  const actual = await original<typeof holdfast>()
  return { ...actual, createHub: vi.fn(actual.createHub) }
})
vi.mock("holdfast/server", async (original) => {
  const actual = await original<typeof server>()
  return { ...actual, attach: vi.fn(actual.attach) }
})

/** The program that the bench measures, in this process: its hubs can be asked, and their options are known. */
async function startMeasured() {
  await import("../../../bench/servers/holdfast.js")
  const start = started.start as (needs: ServerNeeds) => Promise<BenchServer>
  const bench = await start({ isCompressed: false })
  const hubs = vi.mocked(holdfast.createHub).mock
  const attached = vi.mocked(server.attach).mock
  const [texts] = hubs.results.map(({ value }) => value as holdfast.Hub<string, string>)
  const http = attached.calls[0]?.[0] as Server | undefined
  if (!texts || !http) throw new Error("it made no hub, or attached none")
  onTestFinished(async () => {
    for (const { value } of hubs.results) await (value as holdfast.Hub).close()
    await new Promise((resolve) => http.close(resolve))
  })
  return {
    bench,
    texts,
    hubOptions: hubs.calls.map(([options]) => Object.keys(options ?? {})),
    limits: attached.calls.map(([, , options]) => Object.keys(options?.limits ?? {})),
  }
}

it("P11: what the bench measures has its limits, its counters, its heartbeat and its backpressure on", async () => {
  const { bench, texts, hubOptions, limits } = await startMeasured()
  // whatever else there is is as everybody gets it
  expect(hubOptions).toEqual([["codec", "compression"], ["codec"]])
  for (const it of limits) expect(it).toEqual(["connections", "perAddress", "upgradesPerSecond"])

  const url = (i: number) => `ws://127.0.0.1:${bench.port}/all?client=${i}&of=5`
  const clients = await Promise.all(Array.from({ length: 5 }, (_, i) => connect(url(i))))
  await until(() => bench.connections() === 5, "all connections")
  for (let i = 0; i < 10; i += 1) bench.publish("all", `message ${i}`)
  for (const client of clients) expect(await client.take(10)).toHaveLength(10)
  const counted = texts.stats()
  expect(counted).toMatchObject({
    connections: { now: 5, total: 5 },
    upgrades: { accepted: 5 },
    messages: { out: 50, framesEncoded: 10 },
    receivers: { count: 10, sum: 50 },
  })
  expect(counted.bytes.out).toBe(50 * ("message 0".length + 2))

  const [stalled] = [...texts.connections.values()].filter(({ data }) => (data as Who).client === 0)
  clients[0]?.socket.pause()
  let sent = 0
  for (; stalled?.state === "open" && sent < 1_000; sent += 1) {
    bench.publish("all", `${sent} `.padEnd(65_536, "."))
    const isRead = () => clients.slice(1).every((it) => it.waiting > sent)
    await until(isRead, "the others to read", 5_000)
  }
  expect(stalled?.send("too late")).toBe("closed")
  clients[0]?.socket.resume()
  expect((await stalled?.closed)?.cause).toBe("overflow")
  expect(texts.stats().messages.lostByReason.close).toBeGreaterThan(0)
}, 20_000)
