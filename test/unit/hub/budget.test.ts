import { describe, expect, it } from "vitest"
import { stubHub } from "../../support/stub-hub.js"

const message = (i: number) => `${i}`.padEnd(98, ".")

describe("S24: what a hub holds for all its connections", () => {
  it("has a ceiling, above which the slowest are closed with 1013 and cause overload", async () => {
    const { hub, add, flush } = stubHub({ maxTotalBufferedBytes: 10_000 })
    const closes: unknown[] = []
    hub.on("close", ({ connection, code, cause, unsent }) =>
      closes.push([connection.id, code, cause, unsent.count > 0]),
    )
    const peers = Array.from({ length: 10 }, (_, i) => add(`c${i}`, "r"))
    const stall = (i: number) => {
      const { stream } = peers[i] as (typeof peers)[0]
      stream.writableHighWaterMark = 1
      stream.stall()
    }
    stall(0)
    for (let i = 0; i < 20; i += 1) {
      if (i === 10) for (const later of [1, 2, 3]) stall(later)
      hub.to("r").send(message(i))
      await flush()
    }
    expect([hub.bufferedBytes, closes]).toEqual([2_000 + 3 * 1_000, []])
    for (let i = 20; hub.connectionsShed === 0; i += 1) {
      hub.to("r").send(message(i))
      await flush()
      expect(hub.bufferedBytes).toBeLessThanOrEqual(10_000)
    }
    expect(closes).toEqual([["c0", 1013, "overload", true]])
    expect(peers[0]?.socket.closes).toEqual([{ code: 1013, reason: "too much waits for slow readers" }])
    expect([hub.size, hub.connectionsShed]).toEqual([9, 1])
    for (const { received } of peers.slice(4)) {
      expect(received()).toEqual(Array.from({ length: received().length }, (_, i) => message(i)))
    }
  })

  it("is what its connections hold, at any time", async () => {
    const { hub, add, flush } = stubHub()
    const [slow, quick] = [add("slow", "r"), add("quick", "r")]
    slow.stream.stall()
    hub.to("r").send(message(0))
    expect(hub.bufferedBytes).toBe(0)
    await flush()
    expect([hub.bufferedBytes, slow.connection.bufferedBytes, quick.connection.bufferedBytes]).toEqual([
      100, 100, 0,
    ])
    slow.stream.unstall()
    expect(hub.bufferedBytes).toBe(0)
    slow.stream.stall()
    hub.to("r").send(message(1))
    await flush()
    slow.connection.terminate()
    expect([hub.bufferedBytes, hub.connectionsShed]).toEqual([0, 0])
  })

  it("is reported to whoever sends: the message that was too much was dropped", async () => {
    const { hub, add, flush } = stubHub({ maxTotalBufferedBytes: 250 })
    const { connection, stream } = add("a", "r")
    stream.writableHighWaterMark = 1
    stream.stall()
    hub.to("r").send(message(0))
    await flush()
    expect(hub.to("r").send(message(1))).toMatchObject({ matched: 1, queued: 1 })
    expect(hub.to("r").send(message(2))).toMatchObject({ matched: 1, dropped: 1 })
    expect(connection.state).toBe("closing")
    expect(connection.messagesOut).toBe(2)
  })
})
