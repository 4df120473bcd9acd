/**
 * Two nodes as workers of `node:cluster`, behind one port and with no broker: `npm run demo:cluster`.
 */

import cluster from "node:cluster"
import { createExchange, worker } from "holdfast/adapters/cluster"

const { PORT = "8081" } = process.env

if (cluster.isPrimary) {
  // payloads are bytes, and stay bytes
  cluster.setupPrimary({ serialization: "advanced" })
  createExchange(cluster)
  const workers = [cluster.fork(), cluster.fork()]
  let listening = 0
  cluster.on("listening", (_worker, { port }) => {
    listening += 1
    if (listening < workers.length) return
    console.log(
      "Two workers, and nothing but their primary between them. Connect twice, and say something on one:",
    )
    console.log(`  npx wscat -c ws://127.0.0.1:${port}`)
    console.log('  > {"type":"line","text":"hello over there"}')
    console.log(`How many are there: curl http://127.0.0.1:${port}`)
  })
  const stop = () => {
    for (const it of workers) it.process.kill("SIGTERM")
  }
  process.once("SIGTERM", stop)
  process.once("SIGINT", stop)
  cluster.on("exit", (_worker, code) => {
    if (code === 0) return
    // one that fails takes all along, for whatever started them to see; or fork another here
    process.exitCode = 1
    stop()
  })
} else {
  const own = cluster.worker
  own?.once("disconnect", () => {
    // Node ends a worker at once when its primary is gone; this one says goodbye to its clients first
    own.exitedAfterDisconnect = true
  })
  // the primary has no use for it
  const { startNode } = await import("./node.js")
  await startNode(worker(), Number(PORT))
}
