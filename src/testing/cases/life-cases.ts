/**
 * Cases of an adapter's life: what it says of itself, and how it ends.
 */

import type { AdapterCase } from "./adapter-case.js"
import { check, checkSame, pass, rejects, until } from "./adapter-case.js"
import { behaviour } from "./define-cases.js"

/** The cases. */
export const lifeCases: readonly AdapterCase[] = [
  behaviour("says that it is up once it is connected", async ({ nodes }) => {
    const node = await nodes.start()
    checkSame([node.states.at(-1), node.adapter.health().state], ["up", "up"], "state and health")
  }),
  behaviour("counts its subscriptions", async ({ nodes, channel }) => {
    const node = await nodes.start(channel, `${channel} 2`)
    checkSame(node.adapter.health().subscriptions, 2, "subscriptions")
    await node.unsubscribe(channel)
    checkSame(node.adapter.health().subscriptions, 1, "subscriptions")
  }),
  behaviour("has nothing pending once all has settled", async ({ lab, nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    await Promise.all(["a", "b", "c"].map((it) => speaker.say(channel, it)))
    await hearer.hears(channel, 3)
    // an adapter may have messages of its own on the way
    await until(lab, () => speaker.adapter.health().pendingPublishes === 0, "nothing to be pending")
  }),
  behaviour("says that it is down once it is closed", async ({ nodes, channel }) => {
    const node = await nodes.start(channel)
    await node.close()
    checkSame([node.states.at(-1), node.adapter.health().state], ["down", "down"], "state and health")
  }),
  behaviour("takes a second close", async ({ nodes }) => {
    const node = await nodes.start()
    await Promise.all([node.close(), node.close()])
    await node.close()
  }),
  behaviour("delivers what was published before close", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    for (let i = 0; i < 20; i += 1) void speaker.publish(channel, `${i}`)
    await speaker.close()
    check((await hearer.hears(channel, 20)).length === 20, "all 20 payloads must arrive")
  }),
  behaviour("delivers nothing after close", async ({ lab, nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    const witness = await nodes.start(channel)
    await hearer.close()
    await speaker.say(channel, "too late")
    await witness.hears(channel, 1)
    await pass(lab, 20)
    checkSame(hearer.on(channel), [], "what is heard")
  }),
  behaviour("rejects a publication after close with a coded error", async ({ lab, nodes, channel }) => {
    const node = await nodes.start()
    await node.close()
    const error = await rejects(lab, () => node.publish(channel, "hi"), "publish after close")
    check(typeof error.code === "string", "the error must have a code")
  }),
  behaviour("connects again after close", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    await hearer.close()
    await hearer.connect()
    await hearer.subscribe(channel)
    await speaker.say(channel, "again")
    checkSame(await hearer.hears(channel, 1), ["again"], "what is heard")
    checkSame(hearer.adapter.health().state, "up", "state")
  }),
  behaviour("forgets its subscriptions on close", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    await hearer.close()
    await hearer.connect()
    await hearer.subscribe(`${channel} 2`)
    await speaker.say(channel, "forgotten")
    await speaker.say(`${channel} 2`, "the end")
    await hearer.hears(`${channel} 2`, 1)
    checkSame(hearer.on(channel), [], "what is heard")
  }),
  behaviour("lets other nodes close without harm", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    const passer = await nodes.start(channel)
    await passer.close()
    await speaker.say(channel, "hi")
    checkSame(await hearer.hears(channel, 1), ["hi"], "what is heard")
  }),
]
