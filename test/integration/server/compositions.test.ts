import { attach } from "holdfast/server"
import { WebSocketServer } from "ws"
import { startHttp, startHttps } from "../../support/server-http.js"
import { describeServer, type Join } from "../../support/server-suite.js"

const compose: Join = (hub, { server }) => {
  const wss = new WebSocketServer({ server })
  wss.on("connection", (socket, request) => hub.add(socket, { request }))
}

const attached: Join = (hub, { server }) => void attach(server, hub)

describeServer("a hub composed with a ws server over HTTP", startHttp, compose)
describeServer("a hub composed with a ws server over HTTPS", startHttps, compose)
describeServer("S48: a hub attached to an HTTP server", startHttp, attached)
describeServer(
  "S48: a hub attached to an HTTPS server, with a certificate signed by itself",
  startHttps,
  attached,
)
