/**
 * One node of a cluster: what a client says on one node, the clients of all nodes hear. Needs no sticky sessions; any load
 * balancer in front will do. It knows not what carries its messages.
 */

import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { type Adapter, createHub } from "holdfast"
import { attach } from "holdfast/server"

/** What a client says, and what it hears. */
type Line = { readonly type: "line"; readonly text: string }

/** Starts a node that runs until it is told to stop. Resolves with its port; rejects when it cannot have it. */
export async function startNode(adapter: Adapter, port: number): Promise<number> {
  const hub = createHub<Line, Line>({ adapter })
  const say = (text: string) => console.log(`node ${process.pid}: ${text}`)

  hub.on("connection", async ({ connection }) => {
    connection.on("message", ({ data }) => hub.to("lobby").except(connection).send(data))
    try {
      // from here on it also hears what is said on other nodes
      await connection.join("lobby")
      connection.send({ type: "line", text: `you are in the lobby, on node ${process.pid}` })
    } catch (error) {
      connection.send({ type: "line", text: `you hear this node only: ${(error as Error).message}` })
    }
  })

  hub.on("node", ({ nodeId, state }) => say(`${nodeId} is ${state}`))
  hub.on("adapter", ({ state }) => say(`the way to the others is ${state}`))
  // what was missed cannot be had again: have your clients load what they show
  hub.on("gap", ({ channels, count }) => say(`missed ${count ?? "some"} in ${channels}`))
  hub.on("error", ({ error, stage }) => say(`${stage}: ${error}`))

  const http = createServer((_request, response) => {
    response.end(JSON.stringify({ connections: hub.size, nodes: hub.nodes.length + 1 }))
  })
  const server = attach(http, hub)
  http.listen(port, "127.0.0.1")
  await once(http, "listening")

  let isStopping = false
  const stop = async () => {
    if (isStopping) return
    isStopping = true
    await server.close()
    await hub.close()
    http.close()
    if (process.connected) process.disconnect()
  }
  process.once("SIGTERM", stop)
  process.once("SIGINT", stop)
  process.once("disconnect", stop)
  return (http.address() as AddressInfo).port
}
