import { LoopbackNetwork, VirtualClock } from "holdfast/testing"
import { expect, it } from "vitest"
import { AdapterNode } from "../../support/adapters-node.js"

async function pair() {
  const clock = new VirtualClock()
  const network = new LoopbackNetwork({ clock })
  const starting = Promise.all([
    AdapterNode.start(network.adapter()),
    AdapterNode.start(network.adapter(), "c"),
  ])
  await clock.advance(10)
  const [speaker, hearer] = await starting
  return { clock, network, speaker, hearer }
}

it("a loopback network keeps the order when its way becomes shorter", async () => {
  const { clock, network, speaker, hearer } = await pair()
  for (const [i, ms] of [300, 40, 0, 7].entries()) {
    network.slow(ms)
    void speaker.publish("c", `${i}`)
  }
  await clock.advance(1_000)
  expect([hearer.texts, hearer.lost]).toEqual([["0", "1", "2", "3"], 0])
})

it("a loopback network that is started again does what it was asked for while it hung", async () => {
  const { clock, network, speaker, hearer } = await pair()
  network.hang()
  const published = speaker.publish("c", "hi")
  await clock.advance(10)
  network.restart()
  await published
  await clock.advance(10)
  expect(hearer.texts).toEqual(["hi"])
})
