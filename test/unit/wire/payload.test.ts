import { CodecError, text } from "holdfast"
import { describe, expect, it } from "vitest"
import type { Codec } from "../../../src/wire/codec.js"
import { encodeWith, viewOf } from "../../../src/wire/payload.js"
import { connectedPair } from "../../support/connected-pair.js"
import { stubHub } from "../../support/stub-hub.js"

const bytes = new Uint8Array([1, 2, 3, 4])
const forms: readonly [string, unknown][] = [
  ["an ArrayBuffer", bytes.buffer.slice(0)],
  ["a DataView", new DataView(bytes.buffer)],
  ["a view of another type", new Uint16Array(bytes.buffer)],
  ["a part of a buffer", new Uint8Array([0, 0, 1, 2, 3, 4, 0, 0]).subarray(2, 6)],
]
/** A codec in a program without types. */
const careless = (made: unknown) =>
  ({ encode: () => made, decode: String }) as unknown as Codec<string, string>

describe.each(forms)("a codec that makes %s", (_form, made) => {
  // the frame was as long as the bytes, and held what its memory had held before
  it("sends just its bytes", async () => {
    const { hub, add, flush } = stubHub({ codec: careless(made) })
    const { received } = add("a", "room")
    hub.to("room").send("x")
    hub.send("a", "x")
    await flush()
    expect(received()).toEqual([Buffer.from(bytes), Buffer.from(bytes)])
  })
})

describe.each([
  ["nothing", undefined],
  ["a number", 5],
  ["an object", { byteLength: 8 }],
])("a codec that makes %s", (_form, made) => {
  it("sends nothing to anybody: it is a CodecError", async () => {
    const { hub, add, flush } = stubHub({ codec: careless(made) })
    const { received, connection } = add("a", "room")
    for (const send of [() => hub.to("room").send("x"), () => connection.send("x")]) {
      expect(send).toThrow(CodecError)
    }
    await flush()
    expect(received()).toEqual([])
    expect(connection.messagesOut).toBe(0)
  })

  // a timer went on waiting for it, and rejected a promise that nobody had
  it("rejects sendAsync, and leaves nothing behind", async () => {
    const { connection, clock } = connectedPair({ codec: careless(made) })
    const pending = clock.pending
    await expect(connection.sendAsync("x")).rejects.toMatchObject({ code: "ENCODE_FAILED" })
    expect(clock.pending).toBe(pending)
  })
})

it("bytes are viewed, not copied", () => {
  const view = viewOf(new DataView(bytes.buffer, 1, 2))
  expect(view).toEqual(new Uint8Array([2, 3]))
  expect(view?.buffer).toBe(bytes.buffer)
  expect(viewOf("text")).toBeUndefined()
  expect(encodeWith(text(), "text")).toBe("text")
})
