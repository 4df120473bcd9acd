import { type AdapterState, silentLogger } from "holdfast"
import { LoopbackNetwork, VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import type { Bus, BusEvents, BusLink } from "../../../src/relay/bus.js"
import { relayAdapter } from "../../../src/relay/relay.js"
import { AdapterNode } from "../../support/adapters-node.js"
import { outcomeOf } from "../../support/outcome.js"

/** A broker whose every answer a test gives by hand. */
function puppet() {
  const asked: { subjects: readonly string[]; resolve: () => void; reject: (error: Error) => void }[] = []
  let events: BusEvents | undefined
  const link: BusLink = {
    subscribe: (subjects) =>
      new Promise<void>((resolve, reject) => void asked.push({ subjects, resolve, reject })),
    unsubscribe() {},
    publish() {},
    close() {},
  }
  const bus: Bus = {
    name: "puppet",
    capabilities: { interest: "channel", maxPayloadBytes: false },
    async open(given) {
      events = given
      return link
    },
  }
  return { bus, asked, events: () => events as BusEvents }
}

describe("A4: a subscription that the broker gave up while it was asked for", () => {
  it("is asked for again when the second request fails, whatever becomes of the first", async () => {
    const clock = new VirtualClock()
    const { bus, asked, events } = puppet()
    const node = new AdapterNode(relayAdapter(bus, { clock }))
    void node.connect()
    await clock.advance(10)
    asked.shift()?.resolve()
    await clock.advance(10)
    const confirmed = outcomeOf(Promise.resolve(node.adapter.subscribe(["c"])))
    const [first] = asked
    events().lost(["c:c"], "the slot has moved")
    const [, second] = asked
    first?.resolve()
    await clock.advance(10)
    expect(confirmed.is).toBeUndefined()
    second?.reject(new Error("CLUSTERDOWN"))
    await clock.advance(1_000)
    expect(asked.map(({ subjects }) => subjects)).toEqual([["c:c"], ["c:c"], ["c:c"]])
    asked[2]?.resolve()
    await clock.advance(10)
    expect(confirmed.is).toBe("resolved")
    await node.adapter.close({ deadlineMs: 0 })
  })
})

describe("A5: a link that confirms every subscription in time", () => {
  it("is not doubted, however many are asked for one after another", async () => {
    const clock = new VirtualClock()
    const network = new LoopbackNetwork({ clock })
    const starting = AdapterNode.start(network.adapter())
    await clock.advance(10)
    const node = await starting
    network.slow(20)
    for (let i = 0; i < 1_200; i += 1) {
      void node.adapter.subscribe([`c${i}`])
      await clock.advance(10)
    }
    await clock.advance(100)
    expect(node.states).toEqual(["connecting", "up"])
    await node.adapter.close({ deadlineMs: 0 })
  })
})

describe("an adapter that is closed by whoever hears of its state", () => {
  /** Closes at the first word of a state, after something that brings it about. */
  async function closedAt(state: AdapterState, bringAbout: (network: LoopbackNetwork) => void) {
    const clock = new VirtualClock()
    const network = new LoopbackNetwork({ clock })
    const adapter = network.adapter()
    const states: AdapterState[] = []
    const connected = outcomeOf(
      Promise.resolve(
        adapter.connect({
          nodeId: "n",
          onMessage() {},
          onOperation() {},
          onGap() {},
          onState(now) {
            states.push(now)
            if (now === state) void adapter.close({ deadlineMs: 0 })
          },
          logger: silentLogger,
          signal: new AbortController().signal,
        }),
      ),
    )
    await clock.advance(10)
    bringAbout(network)
    await clock.advance(60_000)
    return { states, connected, size: network.size, pending: clock.pending }
  }

  const nothing = () => {}
  it.each([
    ["connecting", nothing, ["connecting", "down"]],
    ["up", nothing, ["connecting", "up", "down"]],
    ["down", (network: LoopbackNetwork) => network.cut(), ["connecting", "up", "down"]],
    ["degraded", (network: LoopbackNetwork) => network.deafen(), ["connecting", "up", "degraded", "down"]],
    ["degraded", (network: LoopbackNetwork) => network.blackHole(), ["connecting", "up", "degraded", "down"]],
  ] as const)("stays closed: %s", async (state, bringAbout, told) => {
    const { states, connected, size, pending } = await closedAt(state, bringAbout)
    expect(states).toEqual(told)
    expect([size, pending]).toEqual([0, 0])
    expect(connected.is).toBeDefined()
  })

  it("stays closed when the state was doubted over a publication", async () => {
    const clock = new VirtualClock()
    const network = new LoopbackNetwork({ clock })
    const node = new AdapterNode(network.adapter())
    void node.connect()
    await clock.advance(10)
    const push = node.states.push.bind(node.states)
    node.states.push = (...states) => {
      if (states.includes("degraded")) void node.adapter.close({ deadlineMs: 0 })
      return push(...states)
    }
    network.hang()
    const stuck = outcomeOf(node.publish("c", "x"))
    await clock.advance(60_000)
    expect([stuck.is, network.size, clock.pending]).toEqual(["ADAPTER_UNAVAILABLE", 0, 0])
    expect(node.adapter.health().state).toBe("down")
  })
})
