import { createPublisher, text } from "holdfast"
import { LoopbackNetwork, VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { PatientTimer } from "../../../src/relay/patient-timer.js"
import { AdapterNode } from "../../support/adapters-node.js"
import { outcomeOf } from "../../support/outcome.js"

function lab() {
  const clock = new VirtualClock()
  const network = new LoopbackNetwork({ clock })
  const start = async (...channels: string[]) => {
    const starting = AdapterNode.start(network.adapter(), ...channels)
    await clock.advance(10)
    return starting
  }
  return { clock, network, start }
}

describe("the life of an adapter", () => {
  it("ends with a close in the same turn as its connect, and leaves nothing behind", async () => {
    const { clock, network } = lab()
    const node = new AdapterNode(network.adapter())
    const connected = outcomeOf(node.connect())
    await node.adapter.close({ deadlineMs: 0 })
    await clock.advance(5_000)
    expect([connected.is, network.size, clock.pending]).toEqual(["ADAPTER_UNAVAILABLE", 0, 0])
    expect(node.adapter.health().state).toBe("down")
  })

  it("has one session, however often it is connected at the same time", async () => {
    const { clock, network } = lab()
    const node = new AdapterNode(network.adapter())
    const outcomes = [outcomeOf(node.connect()), outcomeOf(node.connect()), outcomeOf(node.connect())]
    await clock.advance(100)
    expect(network.size).toBe(1)
    expect(outcomes.map(({ is }) => is)).toEqual(["ADAPTER_UNAVAILABLE", "ADAPTER_UNAVAILABLE", "resolved"])
    await node.adapter.close({ deadlineMs: 0 })
    await clock.advance(5_000)
    expect([network.size, clock.pending]).toEqual([0, 0])
  })

  it("takes subscriptions and publications in the turn of its connect", async () => {
    const { clock, network, start } = lab()
    const hearer = await start("c")
    const node = new AdapterNode(network.adapter())
    const outcomes = [
      outcomeOf(node.connect()),
      outcomeOf(Promise.resolve(node.adapter.subscribe(["d"]))),
      outcomeOf(node.publish("c", "early")),
    ]
    await clock.advance(100)
    expect(outcomes.map(({ is }) => is)).toEqual(["resolved", "resolved", "resolved"])
    expect(hearer.texts).toEqual(["early"])
    await hearer.publish("d", "for the early one")
    await clock.advance(10)
    expect(node.texts).toEqual(["for the early one"])
  })

  it("lets a publisher send in the turn in which it was made", async () => {
    const { clock, network, start } = lab()
    const hearer = await start("room:r")
    const publisher = createPublisher<string>(network.adapter(), { codec: text(), logger: false })
    const sent = outcomeOf(publisher.to("r").send("hi"))
    await clock.advance(100)
    expect([sent.is, hearer.texts]).toEqual(["resolved", ["hi"]])
    await publisher.close()
  })

  it("resolves every close when it is truly closed", async () => {
    const { clock, network, start } = lab()
    const node = await start()
    network.hang()
    node.publish("c", "stuck").catch(() => {})
    const closing = [0, 1, 2].map(() => outcomeOf(Promise.resolve(node.adapter.close({ deadlineMs: 500 }))))
    await clock.advance(400)
    expect([closing.map(({ is }) => is), network.size]).toEqual([[undefined, undefined, undefined], 1])
    await clock.advance(200)
    expect([closing.map(({ is }) => is), network.size]).toEqual([["resolved", "resolved", "resolved"], 0])
  })

  it("A2: is heard after it was closed and connected again under the same name", async () => {
    const { clock, start } = lab()
    const [speaker, hearer] = [await start(), await start("c")]
    for (const it of ["a", "b", "c"]) await speaker.publish("c", it)
    await clock.advance(10)
    for (const word of ["again", "and again"]) {
      const closing = speaker.close()
      await clock.advance(10)
      await closing
      const connecting = speaker.connect()
      await clock.advance(10)
      await connecting
      await speaker.publish("c", word)
      await clock.advance(10)
    }
    expect([hearer.texts, hearer.lost]).toEqual([["a", "b", "c", "again", "and again"], 0])
  })
})

describe("an unsubscription", () => {
  it.each(["hang", "blackHole"] as const)(
    "settles in time after %s, and stays carried out",
    async (fault) => {
      const { clock, network, start } = lab()
      const [speaker, hearer] = [await start(), await start("c", "d")]
      network[fault]()
      const gone = outcomeOf(Promise.resolve(hearer.adapter.unsubscribe(["c"])))
      await clock.advance(6_000)
      expect(gone.is).toBeDefined()
      network.resume()
      network.heal()
      await clock.advance(20_000)
      await Promise.all([speaker.publish("c", "unwanted"), speaker.publish("d", "wanted")])
      await clock.advance(10)
      expect(hearer.texts).toEqual(["wanted"])
      expect(hearer.adapter.health().subscriptions).toBe(1)
    },
  )

  it("resolves when the link ends before it is confirmed: the next one never hears of it", async () => {
    const { clock, network, start } = lab()
    const hearer = await start("c")
    network.hang()
    const gone = outcomeOf(Promise.resolve(hearer.adapter.unsubscribe(["c"])))
    await clock.advance(10)
    network.kill()
    await clock.advance(10)
    expect(gone.is).toBe("resolved")
  })
})

describe("a deadline", () => {
  /** Each timer fires late, for as long as anybody looks: a process that has too much to do. */
  class BusyClock extends VirtualClock {
    override setTimer(callback: () => void, ms: number) {
      return super.setTimer(() => {
        this.stall(80)
        callback()
      }, ms)
    }
  }

  it("comes in a process that is late for everything, all the time", async () => {
    const clock = new BusyClock()
    let fired = 0
    new PatientTimer(clock, () => {
      fired += 1
    }).start(1_000)
    await clock.advance(2_000)
    expect([fired, clock.pending]).toEqual([1, 0])
  })
})
