/**
 * `WORKER_SECRET=… npx tsx examples/worker-link/worker.ts ws://127.0.0.1:PORT ada`: does what a foreman asks for, and comes back when its
 * line is cut. It ends when the foreman has gone for good.
 */

import { pbkdf2 } from "node:crypto"
import { promisify } from "node:util"
import { createRouter, ReconnectingClient } from "holdfast"
import type { FromForeman, FromWorker, WorkerReplies } from "./protocol.js"

const [url = "ws://127.0.0.1:8080", name = "worker"] = process.argv.slice(2)
const derive = promisify(pbkdf2)

const client = new ReconnectingClient<FromForeman, FromWorker>(url, {
  node: { headers: { Authorization: `Bearer ${process.env.WORKER_SECRET}`, "X-Worker": name } },
  backoff: { initialMs: 100, maxMs: 2_000 },
  heartbeat: { intervalMs: 2_000, timeoutMs: 2_000 },
  closeCodes: { 1001: "never" }, // it went in good order, and will not be back
  onOpen: ({ sendNow, isReconnect }) => {
    if (isReconnect) console.log(`${name}: is back`)
    sendNow({ type: "ready", pid: process.pid }) // before anything that waits in the queue
  },
})

createRouter<FromForeman, typeof client, WorkerReplies>()
  .answer("digest", async ({ message }) => {
    await new Promise((resolve) => setTimeout(resolve, 100)) // as if it were hard work
    return (await derive(message.of, "salt", message.rounds, 8, "sha256")).toString("hex")
  })
  .mount(client)

client.on("error", () => {}) // attempts that fail
client.on("end", ({ cause, lastClose }) => console.log(`${name}: ends, ${cause} ${lastClose?.code}`))
