/**
 * crossws on Node, with its own subscriptions.
 */

import { createServer } from "node:http"
import crossws from "crossws/adapters/node"
import { ALL, listen, roomsFor, serve, whoIs } from "./serve.js"

await serve(async () => {
  const http = createServer()
  const roles = new Map<string, string>()
  const adapter = crossws({
    hooks: {
      open(peer) {
        const who = whoIs(peer.request.url)
        roles.set(peer.id, who.role)
        for (const room of roomsFor(who)) peer.subscribe(room)
      },
      message(peer, message) {
        const role = roles.get(peer.id)
        if (role === "all") adapter.publish(ALL, message.text())
        else if (role === "echo") peer.send(message.text())
        else if (role === "echo-json") peer.send(JSON.stringify(message.json()))
      },
      close: (peer) => void roles.delete(peer.id),
    },
  })
  http.on("upgrade", (request, socket, head) => void adapter.handleUpgrade(request, socket, head))

  return {
    port: await listen(http),
    publish: (room, text) => adapter.publish(room, text),
    connections: () => roles.size,
  }
})
