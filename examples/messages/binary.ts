/**
 * `npx tsx examples/messages/binary.ts`: a binary protocol. Sensors send packets of samples; the server adds them up. Large
 * payloads are compressed, and a packet may be split over frames.
 */

import { deflateRawSync, inflateRawSync } from "node:zlib"
import { createHub, createRouter, type HubConnection, lengthPrefixed, ReconnectingClient } from "holdfast"
import WebSocket from "ws"
import { serve } from "./serve.js"

const codec = lengthPrefixed({
  types: { samples: 1, flush: 2, total: 3 },
  compression: {
    compress: (payload) => deflateRawSync(payload),
    decompress: (payload, maxBytes) => inflateRawSync(payload, { maxOutputLength: maxBytes }),
  },
})

type Packet = ReturnType<typeof codec.decode>
type Outgoing = Parameters<typeof codec.encode>[0]

const hub = createHub<Packet, Outgoing, { total: number }>({ codec })
hub.on("connection", ({ connection }) => {
  connection.data = { total: 0 }
})
hub.on("error", ({ error }) => console.log(`error: ${(error as { code: string }).code}`))

// packets have a type as well, so a router takes them; what it does not know it cannot refuse in words
createRouter<Packet, HubConnection<Packet, Outgoing, { total: number }>>()
  .on("samples", ({ message: { payload }, peer }) => {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
    for (let at = 0; at < payload.length; at += 2) peer.data.total += view.getUint16(at)
  })
  .on("flush", ({ peer }) => {
    const payload = new Uint8Array(4)
    new DataView(payload.buffer).setUint32(0, peer.data.total)
    peer.send({ type: "total", payload })
  })
  .otherwise(({ tag }) => console.log(`nobody takes ${tag}`))
  .mount(hub)

await using server = await serve(hub)

/** Bytes of 16-bit samples. */
function samples(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 2)
  const view = new DataView(bytes.buffer)
  values.forEach((value, index) => {
    view.setUint16(index * 2, value)
  })
  return bytes
}

{
  await using sensor = new ReconnectingClient<Packet, Outgoing>(server.url, { codec })
  sensor.send({ type: "samples", payload: samples(1, 2, 3) })
  sensor.send([
    { type: "samples", payload: samples(...Array<number>(1_000).fill(4)) }, // 2,000 bytes, of which few are left
    { type: "flush", payload: new Uint8Array() }, // in the same frame
  ])
  for await (const { type, payload } of sensor) {
    console.log(`${type}: ${new DataView(payload.buffer, payload.byteOffset).getUint32(0)}`)
    break
  }
}

// a device that knows nothing but the bytes: type, length, flags, payload
const device = new WebSocket(server.url)
await new Promise((resolve) => device.once("open", resolve))
device.send(Buffer.from([1, 0, 4, 0, 0, 10])) // a packet that goes on
device.send(Buffer.from([0, 32, 9, 0, 1, 0, 7])) // in the next frame, before one of a type that nobody knows
device.send(Buffer.from([2, 0, 0, 0]))
const [type, , , , ...total] = await new Promise<Buffer>((resolve) => device.once("message", resolve))
console.log(`type ${type}: ${Buffer.from(total).readUInt32BE()}`)
device.close()
