/**
 * Two nodes in processes of their own, started by one command: the program runs itself twice.
 */

import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Adapter } from "holdfast"
import { startNode } from "./node.js"

const { PORT = "8081" } = process.env

/** Runs a program as two nodes. `engine` is what people are told carries the messages. */
export async function twoNodes(program: string, engine: string, makeAdapter: () => Adapter): Promise<void> {
  const ownPort = process.argv[2]
  if (ownPort !== undefined) {
    process.send?.(await startNode(makeAdapter(), Number(ownPort)))
    return
  }
  const first = Number(PORT)
  const nodes = [first, first && first + 1].map((port) => fork(fileURLToPath(program), [`${port}`]))
  const [one, other] = await Promise.all(nodes.map(portOf))
  console.log(`Two nodes, and ${engine} between them. Connect to each, and say something on one:`)
  console.log(`  npx wscat -c ws://127.0.0.1:${one}`)
  console.log(`  npx wscat -c ws://127.0.0.1:${other}`)
  console.log('  > {"type":"line","text":"hello over there"}')
  console.log(`How many are there: curl http://127.0.0.1:${one}`)

  const stop = () => {
    for (const it of nodes) it.kill("SIGTERM")
  }
  process.once("SIGTERM", stop)
  process.once("SIGINT", stop)
}

/** Rejects when the node ends before it has a port. That ends this program, and the other node with it. */
function portOf(node: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    node.once("message", (port) => resolve(port as number))
    node.once("exit", (code) => reject(new Error(`a node ended with ${code} before it could be reached`)))
  })
}
