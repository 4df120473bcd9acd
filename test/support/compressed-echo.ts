/**
 * A hub that compresses, and a conversation with a client that sends back whatever it gets: what comes back is what the
 * client has understood.
 */

import { type Codec, createHub, type Payload } from "holdfast"
import { attach } from "holdfast/server"
import { expect } from "vitest"
import { inTime } from "./deadline.js"
import { startHttp } from "./server-http.js"

const PROSE = "it was the best of times, it was the worst of times, "

/** Messages of every kind that a compressor meets: small, compressed at once, compressed in another thread; text and bytes. */
const MESSAGES: readonly Payload[] = Array.from({ length: 60 }, (_, i) => {
  const text = `${i} ${PROSE.repeat([0, 3, 40, 1_000][i % 4] ?? 0)} €`
  return i % 7 === 0 ? Buffer.from(text) : text
})

const asIs: Codec<Payload, Payload> = { encode: (message) => message, decode: (data) => data }

/** Starts the server. */
export async function startCompressedEcho() {
  const { server, url } = await startHttp()
  const hub = createHub<Payload, Payload>({
    codec: asIs,
    compression: "shared",
    heartbeat: false,
    logger: false,
    maxBufferedBytes: 16_000_000,
  })
  attach(server, hub, { maxPayloadBytes: 1_000_000, origins: false })
  return {
    url,
    /**
     * Waits for a client, sends it everything, waits until all has come back, and closes with 4000. Tells whether the
     * client had agreed on compression.
     */
    async converse(): Promise<boolean> {
      const connection = await inTime(
        new Promise<Parameters<Parameters<typeof hub.once<"connection">>[1]>[0]["connection"]>((resolve) =>
          hub.once("connection", ({ connection }) => resolve(connection)),
        ),
        "the client",
        15_000,
      )
      const echoes: Payload[] = []
      const all = new Promise<void>((resolve) => {
        connection.on("message", ({ data }) => {
          if (echoes.push(data) === MESSAGES.length) resolve()
        })
      })
      for (const message of MESSAGES) connection.send(message)
      await inTime(all, "everything to come back", 15_000)
      expect(echoes.map(shown)).toEqual(MESSAGES.map(shown))
      const isCompressed = hub.framesDeflated > 0
      if (isCompressed) {
        expect(hub.framesDeflated).toBe(MESSAGES.filter((it) => Buffer.byteLength(it) >= 1_024).length)
        expect(connection.bytesOut).toBeLessThan(50_000)
      }
      await connection.close(4000)
      return isCompressed
    },
  }
}

const shown = (it: Payload) => `${typeof it} ${Buffer.from(it as string)}`
