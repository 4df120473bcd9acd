import { expect, it } from "vitest"
import { startChild } from "../../support/child.js"
import { RawClient, upgradeRequest } from "../../support/server-raw.js"
import type { Flood, FloodTask } from "../../support/stalled-process.js"

const MIB = 1_048_576
/** As much as 27 MB/s make of three seconds. */
const BYTES = 80 * MIB
const ONE_SECOND_BYTES = 27_000_000

/** The server in a process of its own, and the way to flood a client that reads, or one that does not. */
async function startServer() {
  const child = startChild("./stalled-process.ts")
  const port = await child.next<number>()
  return async (policy: string, isReading: boolean): Promise<Flood> => {
    const raw = await RawClient.open({ url: "ws://127.0.0.1", port })
    raw.socket.write(upgradeRequest({ target: `/${policy}` }))
    await raw.until(() => raw.received.includes("\r\n\r\n"), "the handshake")
    raw.socket.removeAllListeners("data")
    if (isReading) raw.socket.resume()
    else raw.socket.pause()
    const task: FloodTask = { policy, bytes: BYTES, isPolite: isReading }
    child.send(task)
    const flood = await child.next<Flood>()
    raw.socket.destroy()
    return flood
  }
}

/** What may be kept at any moment: the outbox may hold 1 MiB, and what it is kept in takes as much again at most. */
const MAX_KEPT = 3 * MIB
/** How much more memory the process may take than with a client that reads. How V8 sizes its generations is its own business. */
const MAX_GROWTH = 32 * MIB

it("S25: a client that stalls costs little memory, and is closed or losing messages within a second's worth", async () => {
  const flood = await startServer()
  const reading = await flood("drop-newest", true)
  expect(reading).toMatchObject({ bytesTaken: BYTES, lost: 0, cause: "local" })
  for (const policy of ["close", "drop-newest", "drop-oldest", "latest"]) {
    const { kept, peakRss, bytesTaken, cause } = await flood(policy, false)
    expect(kept, policy).toBeLessThan(MAX_KEPT)
    expect(peakRss - reading.peakRss, policy).toBeLessThan(MAX_GROWTH)
    expect(bytesTaken, policy).toBeLessThan(ONE_SECOND_BYTES)
    expect(cause, policy).toBe(policy === "close" ? "overflow" : "local")
  }
}, 60_000)
