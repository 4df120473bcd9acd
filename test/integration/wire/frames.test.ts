import { describe, expect, it } from "vitest"
import type { Payload } from "../../../src/core/types.js"
import type { Codec } from "../../../src/wire/codec.js"
import { inTime } from "../../support/deadline.js"
import { FrameParser, type ParsedFrame } from "../../support/frame-parser.js"
import { fc, runs } from "../../support/properties.js"
import { textFrame } from "../../support/server-raw.js"
import { rawPair, turn, WAYS } from "../../support/wire-server.js"

/** Whatever is sent, as it is. */
const asIs: Codec<Payload, Payload> = { encode: (message) => message, decode: (data) => data }

const size = fc.oneof(
  { weight: 5, arbitrary: fc.nat(300) },
  { weight: 1, arbitrary: fc.constantFrom(125, 126, 65_535, 65_536, 200_000) },
)

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ text: size }) },
  { weight: 5, arbitrary: fc.record({ bytes: size }) },
  { weight: 6, arbitrary: fc.constantFrom("turn", "literal ping", "ping", "peer's ping") },
)

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** One masked ping frame of a client. */
const clientPing = Buffer.from([0x89, 0x80, 0, 0, 0, 0])

/** As text in which a byte is a character: quick to compare. */
const shown = ({ type, payload }: ParsedFrame) => `${type} ${payload.toString("latin1")}`

async function play(steps: readonly Step[], isRaw: boolean) {
  const literalPing = { ping: "ping?", pong: "pong!" }
  const pair = await rawPair({ isRaw, codec: asIs, literalPing, maxBufferedBytes: 64_000_000 })
  const parser = new FrameParser()
  const frames: ParsedFrame[] = []
  const closed = new Promise<void>((resolve, reject) => {
    pair.onBytes((bytes) => {
      try {
        frames.push(...parser.push(bytes))
      } catch (error) {
        reject(error)
      }
      if (frames.at(-1)?.type === "close") resolve()
    })
  })
  const sent: ParsedFrame[] = []
  for (const [i, it] of steps.entries()) {
    if (it === "turn") await turn()
    else if (it === "literal ping") pair.client.socket.write(textFrame("ping?"))
    else if (it === "peer's ping") pair.client.socket.write(clientPing)
    else if (it === "ping") pair.connection.ping(`${i}`)
    else {
      const payload = "text" in it ? `${i}`.padEnd(it.text, "€") : Buffer.alloc(it.bytes, i)
      pair.connection.send(payload)
      sent.push({ type: "text" in it ? "text" : "binary", payload: Buffer.from(payload as string) })
    }
  }
  void pair.connection.close(4000, "done")
  await inTime(closed, "the close frame")
  pair.client.socket.destroy()
  await pair.connection.closed
  return { frames, sent, parser }
}

describe.each(WAYS)("the bytes of a connection, $way", ({ isRaw }) => {
  it("S22 are whole frames, however data, pings, pongs and the close are interleaved", async () => {
    const tear = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { frames, sent, parser } = await play(steps, isRaw)
      const messages = frames.filter(
        ({ type, payload }) => type === "binary" || (type === "text" && payload.toString() !== "pong!"),
      )
      expect(messages.map(shown)).toEqual(sent.map(shown))
      expect(frames.at(-1)).toEqual({ type: "close", payload: Buffer.from("\u000f\u00a0done", "latin1") })
      expect(parser.isAtBoundary).toBe(true)
      expect(frames.filter(({ type }) => type === "ping")).toHaveLength(
        steps.filter((it) => it === "ping").length,
      )
    })
    await fc.assert(tear, runs(60))
  })
})
