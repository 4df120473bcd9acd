import { fork } from "node:child_process"
import { once } from "node:events"
import { setImmediate as turn } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { describe, expect, it, onTestFinished } from "vitest"
import { inTime } from "../../support/deadline.js"
import { seededRandom } from "../../support/seeded-random.js"
import { type Remains, startFates } from "../../support/server-fates.js"
import { leave, POINTS } from "../../support/server-leavers.js"
import type { Address } from "../../support/server-raw.js"

const LEAVERS = 1_000
const AT_ONCE = 50

/** Sends everybody on their way, some at a time, the points in turn. */
async function leaveAll(address: Address): Promise<void> {
  const random = seededRandom(40)
  let next = 0
  const walk = async () => {
    while (next < LEAVERS) {
      const point = POINTS[next % POINTS.length] as (typeof POINTS)[number]
      next += 1
      await leave(address, point, random)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, walk))
}

/** Asks until nothing is left of anybody, or the wait has been too long; returns what was left then. */
async function settled(remains: () => Promise<Remains>): Promise<Remains> {
  const end = performance.now() + 3_000
  for (;;) {
    const left = await remains()
    if (left.sockets + left.connections + left.undecided === 0 || performance.now() > end) return left
    await turn()
  }
}

const NOTHING = { sockets: 0, connections: 0, undecided: 0, errors: [] }

function expectAllFates({ fates }: Remains): void {
  const share = LEAVERS / POINTS.length
  for (const fate of ["held", "refused", "closed"]) expect(fates[fate]).toBeGreaterThan(share * 0.99)
  expect(fates.accepted).toBeGreaterThan(share * 1.99)
}

/** Errors of this process that nobody caught, while the test runs. */
function trapUncaught(): unknown[] {
  const uncaught: unknown[] = []
  const trap = (error: unknown) => uncaught.push(error)
  for (const event of ["uncaughtException", "unhandledRejection"]) process.on(event, trap)
  onTestFinished(() => {
    for (const event of ["uncaughtException", "unhandledRejection"]) process.off(event, trap)
  })
  return uncaught
}

describe("S40: 1,000 clients that leave on their way in", () => {
  it("raise no error, and nothing is left of them", async () => {
    const uncaught = trapUncaught()
    const { server, hub, url, port, remains } = await startFates()
    onTestFinished(async () => {
      await hub.close()
      server.close()
    })
    await leaveAll({ url, port })
    const left = await settled(remains)
    expect(left).toMatchObject(NOTHING)
    expectAllFates(left)
    expect(hub.members("all").size).toBe(0)
    expect(uncaught).toEqual([])
  })

  it("do not end a server that has no handler for uncaught errors", async () => {
    const path = fileURLToPath(new URL("../../support/server-fates-process.ts", import.meta.url))
    const child = fork(path, {
      execArgv: ["--import", "tsx"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    })
    const exit = once(child, "exit")
    onTestFinished(async () => {
      child.kill()
      await exit
    })
    const died = exit.then(([code]) => Promise.reject(new Error(`the server ended with ${code}`)))
    const next = async () =>
      (await inTime(Promise.race([once(child, "message"), died]), "the server's word", 10_000))[0]
    const port = (await next()) as number
    await Promise.race([leaveAll({ url: `ws://127.0.0.1:${port}`, port }), died])
    const left = await settled(() => {
      child.send("remains")
      return next() as Promise<Remains>
    })
    expect(left).toMatchObject(NOTHING)
    expectAllFates(left)
  })
})
