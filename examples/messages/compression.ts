/**
 * `npx tsx examples/messages/compression.ts`: a report of 20 kB to ten readers, nine of whom have agreed to permessage-deflate. It is
 * compressed once for the nine, and goes as it is to the tenth.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createHub, ReconnectingClient } from "holdfast"
import { attach } from "holdfast/server"

type Report = { type: "report"; rows: { city: string; temperature: number; sky: string }[] }

const hub = createHub<never, Report>({ compression: { thresholdBytes: 1_024 } })
const http = createServer()
attach(http, hub)
await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`

const rows = Array.from({ length: 400 }, (_, index) => {
  return { city: `city ${index}`, temperature: index % 30, sky: "cloudy" }
})
console.log(`a report is ${JSON.stringify({ type: "report", rows }).length} bytes of JSON`)

/** Opens a reader. Resolves with its promise of the report. */
async function openReader(perMessageDeflate: boolean): Promise<{ got: Promise<number> }> {
  const client = new ReconnectingClient<Report>(url, { node: { perMessageDeflate } })
  const got = new Promise<number>((resolve) => {
    client.on("message", async ({ data }) => {
      await client.close()
      resolve(data.rows.length)
    })
  })
  await client.opened
  return { got }
}

const readers = []
for (let i = 0; i < 10; i += 1) readers.push(await openReader(i < 9))
const connections = [...hub.connections.values()]
hub.broadcast({ type: "report", rows })
const counts = await Promise.all(readers.map(({ got }) => got))

const [compressed = 0, plain = 0] = [connections[0]?.bytesOut, connections[9]?.bytesOut]
console.log(`${counts.length} readers got ${counts[0]} rows each`)
console.log(
  `compressed ${hub.framesDeflated} time, into ${hub.framesEncoded} frames: one for the nine, one for the tenth`,
)
console.log(
  `on the wire ${compressed} bytes instead of ${plain}: ${Math.round((compressed / plain) * 100)} %`,
)
await hub.close()
http.close()
