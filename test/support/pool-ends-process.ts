/**
 * A process that uses a pool in one way, says how it went, and then has nothing left to do. Whatever the pool leaves
 * behind keeps this process alive.
 */

import { ConnectionPool } from "holdfast"

const [kind, url] = process.argv.slice(2) as [string, string]
const pool = new ConnectionPool(url, {
  idleTimeoutMs: 50,
  backoff: { initialMs: 60_000, jitter: "none", maxMs: 60_000 },
})
const said: string[] = []

/** Leases a connection and gives it back; notes what came of it. */
async function lease(signal?: AbortSignal): Promise<void> {
  try {
    using held = await pool.acquire({ signal })
    said.push(held.state)
  } catch (error) {
    said.push((error as { code: string }).code)
  }
}

await lease()
if (kind === "closed") {
  await pool.close()
  said.push("closed")
}
if (kind === "idle")
  await new Promise<void>((resolve) => pool.on("close", ({ reason }) => resolve(void said.push(reason))))
if (kind === "aborted") await lease(AbortSignal.timeout(50))
process.stdout.write(`${said.join(", ")}\n`)
