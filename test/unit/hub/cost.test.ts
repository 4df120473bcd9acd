/**
 * What the speed of a hub rests on, in counts: how often a message is encoded, copied, compressed and written. What it comes
 * to in time is measured by the bench.
 */

import { setImmediate as turn } from "node:timers/promises"
import { createHub, json, text } from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it, vi } from "vitest"
import type { Zlib } from "../../../src/wire/compression.js"
import { addPeer, type StubPeer, stubHub } from "../../support/stub-hub.js"

const CROWD = 500
const words = (count: number) => Array.from({ length: count }, (_, i) => `message ${i} `.padEnd(64, "."))

/** How many buffers a piece of work makes. */
async function countBuffers(work: () => unknown): Promise<number> {
  const allocate = vi.spyOn(Buffer, "allocUnsafe")
  await work()
  const { length } = allocate.mock.calls
  allocate.mockRestore()
  return length
}

/** Every write of some peers; each must have made one. */
function theOneWriteOfEach(peers: readonly Pick<StubPeer, "stream">[]): Set<unknown> {
  for (const { stream } of peers) expect(stream.writes).toHaveLength(1)
  return new Set(peers.flatMap(({ stream }) => stream.writes))
}

describe("P1, P2, P3: what a turn sends to a crowd", () => {
  it.each([
    ["is written as it was framed", 1, 1],
    ["is concatenated once, and is one write for each", 10, 11],
    ["is concatenated once, and is one write for each", 100, 101],
  ])("%s: %i messages, %i buffers", async (_, burst, buffers) => {
    const { hub, add, flush } = stubHub()
    const peers = Array.from({ length: CROWD }, (_, i) => add(`c${i}`, "r"))
    const made = await countBuffers(() => {
      for (const word of words(burst)) hub.to("r").send(word)
      return flush()
    })
    expect([made, hub.framesEncoded]).toEqual([buffers, burst])
    expect(theOneWriteOfEach(peers).size).toBe(1)
    expect(peers.at(-1)?.received()).toEqual(words(burst))
  })
})

describe("P4: what ten publish in one turn", () => {
  it("is one write for each, though every message is handled, with its promises, before the next", async () => {
    const hub = createHub<string, string>({ codec: text(), logger: false, heartbeat: false })
    hub.on("message", async ({ data }) => {
      await null
      hub.to("r").send(data)
    })
    const peers = Array.from({ length: CROWD }, () => addPeer(hub))
    for (const { connection } of peers) void connection.join("r")
    for (const [i, word] of words(10).entries()) {
      peers[i]?.socket.receive(word)
      await new Promise<void>((resolve) => process.nextTick(resolve))
    }
    expect(peers.flatMap(({ stream }) => stream.writes)).toEqual([])
    await turn()
    expect(theOneWriteOfEach(peers).size).toBe(1)
    expect(peers[0]?.received()).toEqual(words(10))
    await hub.close()
  })
})

describe("P5: what a turn sends to many small rooms", () => {
  it("is one write for each connection, whatever rooms it is in", async () => {
    const { hub, add, flush } = stubHub()
    const roomsOf = (i: number) => Array.from({ length: 20 }, (_, k) => `room-${(i * 20 + k * 7) % 1_000}`)
    const peers = Array.from({ length: CROWD }, (_, i) => add(`c${i}`, ...roomsOf(i)))
    let deliveries = 0
    for (const [i, word] of words(100).entries()) deliveries += hub.to(`room-${i * 10}`).send(word).matched
    await flush()
    const reached = peers.filter(({ stream }) => stream.writes.length > 0)
    expect(deliveries).toBeGreaterThan(reached.length * 1.5)
    theOneWriteOfEach(reached)
    expect(reached.flatMap(({ received }) => received())).toHaveLength(deliveries)
  })
})

describe("P6: what is compressed for a crowd", () => {
  it.each([1, 10])("is compressed once, and written once for each: %i in one turn", async (burst) => {
    const { hub, flush } = stubHub({ compression: "shared" })
    const zlib = process.getBuiltinModule("node:zlib") as unknown as Zlib
    const deflate = vi.spyOn(zlib, "deflateRawSync")
    const peers = Array.from({ length: CROWD }, () => addPeer(hub, { canInflate: true }))
    for (let i = 0; i < burst; i += 1) hub.broadcast(JSON.stringify({ i, words: words(16) }))
    await flush()
    expect([deflate.mock.calls.length, hub.framesDeflated, hub.framesEncoded]).toEqual([burst, burst, burst])
    const [bytes] = theOneWriteOfEach(peers) as Set<Uint8Array>
    expect(theOneWriteOfEach(peers).size).toBe(1)
    expect(bytes?.length).toBeLessThan(burst * 300)
  })
})

describe("P7: an echo", () => {
  it("is decoded once, encoded once, framed once and written once", async () => {
    const clock = new VirtualClock()
    const notes = createHub<{ n: number }, { n: number }>({ codec: json(), clock, logger: false })
    notes.on("connection", ({ connection }) => connection.on("message", ({ data }) => connection.send(data)))
    const { socket, stream, received } = addPeer(notes)
    const [parse, stringify] = [vi.spyOn(JSON, "parse"), vi.spyOn(JSON, "stringify")]
    const buffers = await countBuffers(async () => {
      socket.receive(`{"n":1}`)
      await clock.advance(0)
    })
    expect([parse.mock.calls.length, stringify.mock.calls.length, buffers]).toEqual([1, 1, 1])
    expect([stream.writes.length, received()]).toEqual([1, [`{"n":1}`]])
  })
})
