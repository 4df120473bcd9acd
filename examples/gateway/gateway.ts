/**
 * Takes packets of devices on one path, tells watchers of them in JSON on another, and passes commands on to the device
 * they are for. It does not know what is inside a packet.
 */

import { timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { createHub, createRouter, type HubConnection } from "holdfast"
import { attach } from "holdfast/server"
import {
  type FromGateway,
  makeSeconds,
  type Outgoing,
  type Packet,
  packets,
  parseReading,
  parseSeconds,
} from "./protocol.js"

/** A running gateway. */
export interface Gateway extends AsyncDisposable {
  readonly port: number
}

/** Starts on a port of this machine. Each device has a key of its own. */
export async function startGateway(port: number, keys: ReadonlyMap<string, string>): Promise<Gateway> {
  // of each device the newest reading counts, for a watcher who cannot keep up
  const watchers = createHub<never, FromGateway>({ overflow: "latest" })
  const tell = (message: FromGateway) =>
    watchers.broadcast(message, { key: `${message.type} ${message.device}` })

  const devices = createHub<Packet, Outgoing>({
    codec: packets,
    heartbeat: { intervalMs: 30_000, timeoutMs: 10_000 }, // seldom, for the battery's sake
  })
  devices.on("connection", ({ connection }) => console.log(`${connection.userId} is here`))
  devices.on("close", ({ connection: { userId = "" } }) => {
    console.log(`${userId} is gone`)
    tell({ type: "gone", device: userId })
  })
  devices.on("error", ({ connection, stage, error }) => {
    console.log(
      `${connection?.userId}: ${stage}, ${(error as { code?: string }).code ?? (error as Error).message}`,
    )
  })
  createRouter<Packet, HubConnection<Packet, Outgoing>>()
    .on("reading", ({ message, peer: { userId = "" } }) => {
      tell({ type: "reading", device: userId, ...parseReading(message) })
    })
    .on("accepted", ({ message, peer: { userId = "" } }) => {
      tell({ type: "accepted", device: userId, seconds: parseSeconds(message) })
    })
    .otherwise(({ peer, tag }) => console.log(`${peer.userId} sent ${tag}, which is no business of a device`))
    .mount(devices)

  /** `POST /devices/porch/interval?seconds=5` */
  const command = (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://gateway")
    const [, device = ""] = /^\/devices\/([^/]+)\/interval$/.exec(pathname) ?? []
    const seconds = Number(searchParams.get("seconds"))
    if (request.method !== "POST" || !device) return response.writeHead(404).end()
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > 65_535) return response.writeHead(400).end()
    const { matched } = devices.user(device).send({ type: "interval", payload: makeSeconds(seconds) })
    return response.writeHead(matched > 0 ? 202 : 404).end()
  }

  const http = createServer(command)
  attach(http, watchers, { path: "/watch" })
  attach(http, devices, {
    path: "/devices/:device",
    maxPayloadBytes: 1_024,
    limits: { perUser: 1, messagesPerSecond: 50 }, // one line for each device, and no more than it can have to say
    authenticate: ({ headers }, { params: { device = "" } }) => {
      return isSame(headers.authorization, `Bearer ${keys.get(device)}`)
        ? { userId: device }
        : { status: 401 }
    },
  })
  await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve))
  return {
    port: (http.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      await Promise.all([devices.close(), watchers.close()])
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

/** Compares in a time that says nothing of where they differ. */
function isSame(given: string | undefined, wanted: string): boolean {
  const [one, other] = [Buffer.from(given ?? ""), Buffer.from(wanted)]
  return one.length === other.length && timingSafeEqual(one, other)
}
