import { describe, expect, it } from "vitest"
import { CodecError } from "../../../src/core/errors.js"
import type { Codec } from "../../../src/wire/codec.js"
import { openClient } from "../../support/client-fake.js"
import { connectedPair } from "../../support/connected-pair.js"

/**
 * Words with a full stop behind each, split over frames as it happens. A word with a digit is wrong, and a question mark
 * makes the reader throw. What a reader has kept is in `begun` of the codec's readers.
 */
function words(): Codec<string, string> & { readers: number } {
  const codec = {
    readers: 0,
    encode: (message: string) => `${message}.`,
    decode: (): string => {
      throw new Error("a codec with a reader is not asked to decode")
    },
    reader: () => {
      codec.readers += 1
      let begun = ""
      return {
        read(data: string | Uint8Array, take: (word: string) => void, fail: (error: unknown) => void) {
          for (const letter of String(data)) {
            if (letter === "?") throw new Error("a question")
            if (letter !== ".") begun += letter
            else {
              if (/\d/.test(begun)) fail(new CodecError("DECODE_FAILED", "a digit", begun))
              else take(begun)
              begun = ""
            }
          }
        },
        end() {
          if (begun) throw new CodecError("DECODE_FAILED", "an unfinished word", begun)
        },
      }
    },
  }
  return codec
}

describe("T3: a connection whose codec has a reader", () => {
  function reading(options = {}) {
    const codec = words()
    const pair = connectedPair<string, string>({ codec, ...options })
    const heard: string[] = []
    pair.connection.on("message", ({ data }) => heard.push(data))
    const receive = async (frame: string) => {
      pair.peer.send(frame)
      await pair.turn()
    }
    return { ...pair, codec, heard, receive }
  }

  it("hears several messages of one frame, and one message of several frames, in order", async () => {
    const { connection, heard, receive } = reading()
    for (const frame of ["one.two.thr", "e", "e.four."]) await receive(frame)
    expect(heard).toEqual(["one", "two", "three", "four"])
    expect(connection.messagesIn).toBe(4)
  })

  it("asks for one reader, for itself alone", async () => {
    const codec = words()
    const [first, second] = [
      connectedPair<string, string>({ codec }),
      connectedPair<string, string>({ codec }),
    ]
    const heard: string[] = []
    for (const { connection } of [first, second]) connection.on("message", ({ data }) => heard.push(data))
    first.peer.send("on")
    second.peer.send("tw")
    second.peer.send("o.")
    first.peer.send("e.")
    await first.turn()
    await second.turn()
    expect(heard).toEqual(["one", "two"])
    expect(codec.readers).toBe(2)
  })

  it("goes on behind what the reader reports, and behind what it throws", async () => {
    const onDecodeError = ({ preview }: CodecError) => `bad ${preview}`
    const { errors, heard, receive, received } = reading({ onDecodeError })
    await receive("one.2.three.")
    await receive("four.?five.")
    await receive("six.")
    expect(heard).toEqual(["one", "three", "four", "six"])
    expect(errors).toMatchObject([
      { stage: "decode", error: { message: "a digit" } },
      { stage: "decode", error: { code: "DECODE_FAILED", cause: { message: "a question" } } },
    ])
    expect(received).toEqual(["bad 2.", "bad ."])
  })

  it("reports a message that the end cut off, before it reports the end", async () => {
    const { connection, errors, peer, receive, turn } = reading()
    const order: string[] = []
    connection.on("error", ({ stage }) => order.push(stage))
    connection.on("close", () => order.push("close"))
    await receive("one.tw")
    peer.close()
    await turn()
    expect(order).toEqual(["decode", "close"])
    expect(errors).toMatchObject([{ error: { message: "an unfinished word" } }])
  })

  it("holds what a frame has too much of for busy listeners, and reads on after them", async () => {
    const { connection, peer, turn } = connectedPair<string, string>({ codec: words(), concurrency: 2 })
    const begun: string[] = []
    const finish: (() => void)[] = []
    connection.on("message", ({ data }) => {
      begun.push(data)
      return new Promise<void>((resolve) => finish.push(resolve))
    })
    peer.send("a.b.c.d.")
    await turn()
    expect([begun, connection.isReadingPaused]).toEqual([["a", "b"], true])
    while (finish.length > 0) {
      finish.shift()?.()
      await turn()
    }
    expect([begun, connection.isReadingPaused]).toEqual([["a", "b", "c", "d"], false])
  })
})

describe("T3: a client whose codec has a reader", () => {
  it("asks for a new one with each connection, and reports what the old one had begun", async () => {
    const codec = words()
    const { client, clock, log, network } = await openClient({ codec })
    network.last.deliver("one.tw")
    await clock.advance(100)
    network.last.cut()
    await clock.advance(2_000)
    expect(client.state).toBe("open")
    network.last.deliver("three.")
    await clock.advance(100)
    expect(log.messages).toEqual(["one", "three"])
    expect(log.errors.filter(({ stage }) => stage === "decode")).toMatchObject([
      { error: { message: "an unfinished word" } },
    ])
    expect(codec.readers).toBe(2)
  })

  it("may be re-dialled by whoever hears of what was begun", async () => {
    const { client, clock, log, network } = await openClient({ codec: words() })
    client.on("error", ({ stage }) => stage === "decode" && client.reconnect())
    let unconfirmed = 0
    client.on("unconfirmed", ({ count }) => {
      unconfirmed += count
    })
    client.send("sent")
    network.last.deliver("one.tw")
    await clock.advance(100)
    network.last.cut()
    await clock.advance(100)
    expect([client.state, network.live.length, unconfirmed]).toEqual(["open", 1, 1])
    expect(log.errors.filter(({ stage }) => stage === "decode")).toHaveLength(1)
  })

  it("goes on behind what is wrong", async () => {
    const { clock, log, network } = await openClient({ codec: words() })
    network.last.deliver("one.2.three.?four.")
    network.last.deliver("five.")
    await clock.advance(100)
    expect(log.messages).toEqual(["one", "three", "five"])
    expect(log.errors.map(({ error }) => (error as Error).message)).toEqual(["a digit", "a question"])
  })

  it.each(["pause", "reconnect"] as const)(
    "hears nothing more of a frame once a listener has called %s()",
    async (method) => {
      const { client, clock, log, network } = await openClient({ codec: words() })
      client.on("message", () => void client[method]())
      network.last.deliver("one.two.three.")
      await clock.advance(100)
      expect(log.messages).toEqual(["one"])
    },
  )
})
