import { describe, expect, it } from "vitest"
import { RestartingServer } from "../../support/client-servers.js"
import { inTime, until } from "../../support/deadline.js"
import { startProgram } from "../../support/demo-process.js"
import { ask, poolOf } from "../../support/pool-servers.js"
import { startServer } from "../../support/ws-server.js"

const MAX = 5
const WORKERS = 20
const JOBS = 200

describe("C40 a server that restarts under load", () => {
  it("C40 costs each connection once: 200 leases, none hangs, none is dead when it is handed out", async () => {
    const server = await RestartingServer.start()
    server.onConnection = (socket) => socket.on("message", (data) => socket.send(String(data)))
    const pool = poolOf(server.url, { max: MAX })
    const outcomes: string[] = []
    const states: string[] = []
    const work = async (job: number): Promise<string> => {
      try {
        return await pool.use(async (lease) => {
          states.push(lease.state)
          const answer = await ask(lease, `job ${job}`).catch(() => "lost")
          return answer === `job ${job}` || answer === "lost" ? answer : "wrong"
        })
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    let next = 0
    const worker = async () => {
      while (next < JOBS) {
        next += 1
        outcomes.push(await work(next))
      }
    }
    const restart = async () => {
      await until(() => outcomes.length >= 60, "some work", 5_000)
      await server.stop()
      // somebody has seen it down
      await until(() => outcomes.includes("CONNECT_FAILED"), "a failed dial", 5_000)
      await server.start()
    }
    await inTime(Promise.all([restart(), ...Array.from({ length: WORKERS }, worker)]), "all work", 12_000)
    expect(outcomes).toHaveLength(JOBS)
    const count = (outcome: string) => outcomes.filter((it) => it === outcome).length
    const done = outcomes.filter((it) => it.startsWith("job")).length
    expect(done + count("lost") + count("CONNECT_FAILED")).toBe(JOBS)
    expect(count("lost")).toBeLessThanOrEqual(MAX)
    expect(new Set(states)).toEqual(new Set(["open"]))
    expect(await pool.use((lease) => ask(lease, "afterwards"))).toBe("afterwards")
    expect(pool.size).toBeLessThanOrEqual(MAX)
    expect([pool.leased, pool.waiting]).toEqual([0, 0])
  })
})

describe("C40 a process with a pool", () => {
  it.each([
    ["closed", "open, closed"],
    ["idle", "open, idle"],
    ["refused", "CONNECT_FAILED"],
    ["aborted", "CONNECT_FAILED, ABORTED"],
  ])("C40 has nothing left to do, and exits by itself: %s", async (kind, said) => {
    const server =
      kind === "refused" || kind === "aborted" ? await RestartingServer.find() : await startServer()
    const program = startProgram("../test/support/pool-ends-process.ts", [kind, server.url])
    const { code, stdout, stderr } = await program.exited()
    expect({ code, stdout: stdout.trim(), stderr }).toEqual({ code: 0, stdout: said, stderr: "" })
  })
})
