import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createHub, ReconnectingClient, text } from "holdfast"
import { attach } from "holdfast/server"
import { describe, expect, it, onTestFinished } from "vitest"
import { startProxy } from "../../support/client-proxy.js"
import { until } from "../../support/deadline.js"

const HEARTBEAT = { intervalMs: 1_000, timeoutMs: 1_000 }

describe("R21 a line that stalls with both ends alive", () => {
  it("R21 is given up by both ends after one silence and one timeout, and what was lost is counted", async () => {
    const http = createServer()
    const hub = createHub<string, string>({ codec: text(), heartbeat: HEARTBEAT, logger: false })
    attach(http, hub)
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
    onTestFinished(async () => {
      await hub.close()
      http.close()
    })
    const proxy = await startProxy((http.address() as AddressInfo).port)
    const client = new ReconnectingClient<string, string>(proxy.url, {
      codec: text(),
      heartbeat: HEARTBEAT,
      backoff: { initialMs: 20, floorMs: 1 },
      logger: false,
    })
    onTestFinished(async () => void (await client.close()))
    const causes: string[] = []
    const lost: number[] = []
    hub.on("close", ({ cause }) => causes.push(cause))
    client.on("unconfirmed", ({ count }) => lost.push(count))
    await client.opened
    await until(() => hub.size === 1, "the connection")
    await client.sendAsync("proved", { until: "fenced" })
    proxy.freeze()
    const frozenAt = performance.now()
    client.send("into the void")
    await until(() => lost.length === 1 && causes.length === 1, "both to notice", 10_000)
    // a silence and a timeout; whatever is above is this machine's
    expect(performance.now() - frozenAt).toBeGreaterThan(900)
    expect(causes).toEqual(["heartbeat"])
    await until(() => client.state === "open" && hub.size === 1, "the next connection", 10_000)
    expect(lost).toEqual([1])
  })
})
