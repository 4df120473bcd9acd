/**
 * A process that runs one client until its end, says the cause, and then has nothing left to do. Whatever a client
 * leaves behind keeps this process alive.
 */

import { ReconnectingClient } from "holdfast"

const [kind, url] = process.argv.slice(2) as [string, string]
const abort = new AbortController()
const client = new ReconnectingClient(url, {
  backoff: { initialMs: 20, floorMs: 1, maxMs: 50 },
  maxRetries: kind === "max-retries" ? 2 : false,
  signal: abort.signal,
})

if (kind === "closed" || kind === "aborted" || kind === "close-code") client.send("hello")
client.on("state", ({ to }) => {
  if (to === "open" && kind === "closed") void client.close()
  if (to === "open" && kind === "aborted") abort.abort()
  if (to === "connecting" && kind === "closed while connecting") setImmediate(() => void client.close())
  if (to === "waiting" && kind === "aborted while waiting") abort.abort()
})
client.on("end", ({ cause }) => process.stdout.write(`${cause}\n`))
