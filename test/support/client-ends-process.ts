/**
 * A process that runs one client until its end, says the cause, and then has nothing left to do. Whatever a client
 * leaves behind keeps this process alive, unless it was told not to.
 */

import { ReconnectingClient } from "holdfast"

const [kind, url] = process.argv.slice(2) as [string, string]
const abort = new AbortController()
const client = new ReconnectingClient(url, {
  backoff: { initialMs: 20, floorMs: 1, maxMs: 50 },
  maxRetries: kind === "max-retries" ? 2 : false,
  signal: abort.signal,
  ...(kind.startsWith("unref") && { node: { unref: true } }),
})

if (kind === "closed" || kind === "aborted" || kind === "close-code") client.send("hello")
client.on("state", ({ to }) => {
  if (to === "open" && kind === "closed") void client.close()
  if (to === "open" && kind === "aborted") abort.abort()
  if (to === "connecting" && kind === "closed while connecting") setImmediate(() => void client.close())
  if (to === "waiting" && kind === "aborted while waiting") abort.abort()
})
if (kind.startsWith("unref")) {
  // until what was wanted has happened, something else keeps the process alive
  const timer = setInterval(() => {}, 60_000)
  const unlisten = client.on("state", ({ to, attempt }) => {
    if (kind !== `unref while ${to}` || (to === "waiting" && attempt < 2)) return
    process.stdout.write(`${to}\n`)
    clearInterval(timer)
    // it may come that far once more before the process is gone
    unlisten()
  })
}
client.on("end", ({ cause }) => process.stdout.write(`${cause}\n`))
