import { describe, expect, it, onTestFinished } from "vitest"
import { WebSocket } from "ws"
import { dial } from "../../support/client-servers.js"
import { inTime, until } from "../../support/deadline.js"
import { FAILURES, type Fault, FaultServer } from "../../support/matrix-faults.js"

async function startFault(fault: Fault): Promise<FaultServer> {
  const server = await FaultServer.start(fault)
  onTestFinished(() => server[Symbol.asyncDispose]())
  return server
}

/** Everything that reaches the process instead of the client. */
function trapStrays(): unknown[] {
  const strays: unknown[] = []
  const trap = (error: unknown) => void strays.push(error)
  process.on("uncaughtExceptionMonitor", trap).on("unhandledRejection", trap)
  onTestFinished(() => void process.off("uncaughtExceptionMonitor", trap).off("unhandledRejection", trap))
  return strays
}

/** What was left behind has had its turn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

describe("C31 an attempt ends on the first of error, close and timeout", () => {
  it.each(["401", "refused", "reset", "hang", "end", "cut"] as const)(
    "C31 comes back with the ws package after %s, and nothing is uncaught",
    async (fault) => {
      const strays = trapStrays()
      const server = await startFault(fault)
      const { client, log } = dial(server.url, {
        WebSocket,
        ...(fault === "hang" && { connectTimeoutMs: 200 }),
      })
      client.on("state", ({ to }) => void (to === "waiting" && server.clientWaits()))
      const ends = () => log.changes.filter(({ to }) => to === "waiting").length
      await until(() => ends() >= FAILURES && client.state === "open", "the open", 5_000)
      client.send("back")
      await until(() => log.messages.includes("back"), "the echo", 5_000)
      await settle()
      expect(server.size).toBe(1)
      expect(strays).toEqual([])
      // each failed attempt is told once
      expect(log.errors.length).toBeLessThanOrEqual(ends())
      if (fault !== "cut") expect(log.errors).toHaveLength(ends())
    },
  )

  it.each(["reconnect", "pause"] as const)("C31 comes back after %s() while it connects", async (method) => {
    const strays = trapStrays()
    const server = await startFault("held")
    const { client, log } = dial(server.url, { WebSocket, connectTimeoutMs: 500 })
    await until(() => server.size === 1, "the handshake")
    client[method]()
    client.reconnect()
    await inTime(client.opened, "the open", 5_000)
    client.send("back")
    await until(() => log.messages.includes("back"), "the echo", 5_000)
    await settle()
    expect([server.size, strays]).toEqual([1, []])
  })

  it("C31 closes while it connects, and leaves neither a socket nor an error", async () => {
    const strays = trapStrays()
    const server = await startFault("held")
    const { client, log } = dial(server.url, { WebSocket })
    await until(() => server.size === 1, "the handshake")
    expect(await client.close()).toMatchObject({ cause: "closed" })
    await until(() => server.size === 0, "the socket to end")
    await settle()
    expect([log.errors, strays]).toEqual([[], []])
  })
})
