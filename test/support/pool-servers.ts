/**
 * Pools over real sockets, and what one asks through them: a word that has to come back to the one who sent it.
 */

import { ConnectionPool, type Given, type Lease, type PoolOptions, text } from "holdfast"
import { onTestFinished } from "vitest"
import { inTime } from "./deadline.js"

/** Waits that no test has to sit through. */
const QUICK = Object.freeze({ initialMs: 20, floorMs: 1, maxMs: 50 })

/** Makes a pool of strings that dials quickly after failures and ends with the test. */
export function poolOf(
  url: ConstructorParameters<typeof ConnectionPool>[0],
  options: Given<PoolOptions<string, string>> = {},
): ConnectionPool<string, string> {
  const pool = new ConnectionPool<string, string>(url, {
    codec: text(),
    backoff: QUICK,
    closeTimeoutMs: 200,
    logger: false,
    ...options,
  })
  onTestFinished(() => pool.close())
  return pool
}

/** Sends a word and waits for the next one. Rejects when the connection ends first, or after a deadline. */
export async function ask(lease: Lease<string, string>, word: string): Promise<string> {
  lease.send(word)
  const { value, done } = await inTime(lease.iterate().next(), `the answer to ${word}`)
  if (done) throw new Error("the connection has ended")
  return value
}
