/**
 * Cases of fault: what an adapter does while its engine is gone, hung, cut off or slow, and afterwards.
 */

import type { AdapterCase, AdapterLab } from "./adapter-case.js"
import { check, checkSame, pass, rejects, settles, until } from "./adapter-case.js"
import type { CaseNode } from "./case-node.js"
import { fault } from "./define-cases.js"

/** A publication settles within a second; so much more is allowed for the machine, in milliseconds. */
const SETTLES_MS = 1_500

/** After the engine's return messages flow again, and all losses are counted, within this time, in milliseconds. */
const recoveryMs = (lab: AdapterLab) => lab.recoveryMs ?? 5_000

/** What is older than 2 s is never delivered. An outage of so many milliseconds makes everything in it older. */
const LONG_MS = 2_500

/** Publishes again and again until something arrives. Returns how many were published. */
async function flows(lab: AdapterLab, speaker: CaseNode, hearer: CaseNode, channel: string): Promise<number> {
  const heard = hearer.on(channel).length
  let sent = 0
  const isBack = () => {
    if (hearer.on(channel).length > heard) return true
    sent += 1
    void speaker.publish(channel, `flow ${sent}`)
    return false
  }
  await until(lab, isBack, "messages to flow again", recoveryMs(lab))
  return sent
}

/** Publishes, one by one with pauses. Returns how many. */
async function talk(
  lab: AdapterLab,
  speaker: CaseNode,
  channel: string,
  count: number,
  word: string,
): Promise<number> {
  for (let i = 0; i < count; i += 1) {
    void speaker.publish(channel, `${word} ${i}`)
    await pass(lab, 5)
  }
  return count
}

function checkOnce(node: CaseNode, channel: string): void {
  const heard = node.on(channel).map(String)
  checkSame(new Set(heard).size, heard.length, "distinct payloads")
}

/** Waits until what was sent is delivered or counted, and checks that it is not counted twice. */
async function balances(lab: AdapterLab, hearer: CaseNode, channel: string, sent: number): Promise<void> {
  const known = () => hearer.on(channel).length + hearer.missed
  await until(lab, () => known() >= sent, "every payload to be delivered or counted as lost", recoveryMs(lab))
  await pass(lab, 100)
  checkSame(known(), sent, "delivered + lost")
  checkOnce(hearer, channel)
}

/** The cases. */
export const faultCases: readonly AdapterCase[] = [
  fault("settles publications within a second while its engine is dead", ["kill"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const { speaker } = await nodes.pair(channel)
    await faults.kill()
    await until(lab, () => speaker.adapter.health().state !== "up", "the loss to be noticed")
    const error = await rejects(lab, () => speaker.publish(channel, "hi"), "publish", SETTLES_MS)
    check(typeof error.code === "string", "the error must have a code")
  }),
  fault("says that it is not up while its engine is dead", ["kill"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const { hearer } = await nodes.pair(channel)
    await faults.kill()
    await until(lab, () => hearer.adapter.health().state !== "up", "health to tell")
    check(hearer.states.at(-1) !== "up", "onState must have told")
  }),
  fault("delivers again after its engine was restarted, and says so", ["kill", "restart"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const { speaker, hearer } = await nodes.pair(channel)
    await faults.kill()
    await until(lab, () => hearer.adapter.health().state !== "up", "the loss to be noticed")
    await faults.restart()
    await flows(lab, speaker, hearer, channel)
    await until(lab, () => hearer.states.at(-1) === "up", "onState to tell")
    checkSame(hearer.adapter.health().state, "up", "health")
  }),
  fault("reports a gap after its engine was restarted", ["kill", "restart"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const { hearer } = await nodes.pair(channel)
    await faults.kill()
    await until(lab, () => hearer.adapter.health().state !== "up", "the loss to be noticed")
    await faults.restart()
    const concerns = () =>
      hearer.gaps.some(({ channels }) => channels === "all" || channels.includes(channel))
    await until(lab, concerns, "a gap", recoveryMs(lab))
  }),
  fault("counts exactly what a killed engine lost", ["kill", "restart"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const { speaker, hearer } = await nodes.pair(channel)
    let sent = await talk(lab, speaker, channel, 20, "before")
    await hearer.hears(channel, 1)
    const killed = faults.kill()
    sent += await talk(lab, speaker, channel, 20, "meanwhile")
    await killed
    // longer than a publication waits
    await pass(lab, SETTLES_MS)
    await faults.restart()
    sent += await flows(lab, speaker, hearer, channel)
    await balances(lab, hearer, channel, sent)
  }),
  fault("counts what was lost at the end of a stream", ["kill", "restart"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const { speaker, hearer } = await nodes.pair(channel)
    await speaker.say(channel, "first")
    await hearer.hears(channel, 1)
    await faults.kill()
    await until(lab, () => speaker.adapter.health().state !== "up", "the loss to be noticed")
    const lost = ["a", "b", "c"].map((it) => speaker.publish(channel, it).catch(() => {}))
    await settles(lab, Promise.all(lost), "publish to settle", SETTLES_MS)
    await faults.restart()
    // nothing is published any more
    await balances(lab, hearer, channel, 4)
  }),
  fault("delivers nothing late after a restart", ["kill", "restart"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const { speaker, hearer } = await nodes.pair(channel)
    await faults.kill()
    await until(lab, () => speaker.adapter.health().state !== "up", "the loss to be noticed")
    const old = [speaker.publish(channel, "old"), speaker.publish(channel, "old too")].map((it) =>
      it.catch(() => {}),
    )
    await pass(lab, LONG_MS)
    await faults.restart()
    await flows(lab, speaker, hearer, channel)
    await Promise.all(old)
    check(!hearer.on(channel).some((it) => String(it).startsWith("old")), "what is old must not be delivered")
  }),
  fault("carries out after an outage what was asked for in it", ["kill", "restart"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const [joined, left] = [`${channel} joined`, `${channel} left`]
    const speaker = await nodes.start()
    const hearer = await nodes.start(channel, left)
    await faults.kill()
    await until(lab, () => hearer.adapter.health().state !== "up", "the loss to be noticed")
    const asked = [hearer.adapter.subscribe([joined]), hearer.adapter.unsubscribe([left])]
    for (const it of asked) Promise.resolve(it).catch(() => {})
    await faults.restart()
    await flows(lab, speaker, hearer, joined)
    await speaker.say(left, "not for you")
    await flows(lab, speaker, hearer, channel)
    checkSame(hearer.on(left), [], "what is heard on the channel given up")
  }),
  fault("subscribes again to a thousand channels after a restart", ["kill", "restart"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const channels = Array.from({ length: 1_000 }, (_, i) => `${channel} ${i}`)
    const speaker = await nodes.start()
    const hearer = await nodes.start(...channels)
    await faults.kill()
    await until(lab, () => hearer.adapter.health().state !== "up", "the loss to be noticed")
    await faults.restart()
    for (const it of [channels[0], channels[600], channels[999]])
      await flows(lab, speaker, hearer, it as string)
    checkSame(hearer.adapter.health().subscriptions, 1_000, "subscriptions")
  }),
  fault("delivers once after three restarts", ["kill", "restart"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const { speaker, hearer } = await nodes.pair(channel)
    for (let i = 0; i < 3; i += 1) {
      await faults.kill()
      await pass(lab, 50)
      await faults.restart()
      await pass(lab, 50)
    }
    await flows(lab, speaker, hearer, channel)
    await speaker.say(channel, "once")
    await until(lab, () => hearer.on(channel).includes("once"), "the payload")
    await pass(lab, 50)
    checkOnce(hearer, channel)
  }),
  fault("closes while its engine is dead", ["kill"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const { speaker } = await nodes.pair(channel)
    await faults.kill()
    void speaker.publish(channel, "hi")
    await settles(lab, speaker.adapter.close({ deadlineMs: 500 }), "close to resolve", 2_000)
    checkSame(speaker.adapter.health().state, "down", "state")
  }),
  fault("connects as soon as its engine is there", ["kill", "restart"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    await faults.kill()
    const [speaker, hearer] = [await nodes.make(), await nodes.make()]
    const connecting = Promise.all([speaker.connect(), hearer.connect()])
    connecting.catch(() => {})
    await pass(lab, 100)
    checkSame(hearer.adapter.health().state === "up", false, "up without an engine")
    await faults.restart()
    await settles(lab, connecting, "connect to resolve", recoveryMs(lab))
    await hearer.subscribe(channel)
    await flows(lab, speaker, hearer, channel)
  }),
  fault("settles publications within a second while its engine hangs", ["hang", "resume"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const { speaker } = await nodes.pair(channel)
    await faults.hang()
    try {
      for (let i = 0; i < 3; i += 1) {
        const error = await rejects(lab, () => speaker.publish(channel, "hi"), "publish", SETTLES_MS)
        check(typeof error.code === "string", "the error must have a code")
      }
      check(speaker.adapter.health().state !== "up", "health must tell")
    } finally {
      await faults.resume()
    }
  }),
  fault("delivers nothing late after its engine hung, and counts it", ["hang", "resume"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const { speaker, hearer } = await nodes.pair(channel)
    await speaker.say(channel, "before")
    await hearer.hears(channel, 1)
    await faults.hang()
    for (const it of ["old 1", "old 2"]) void speaker.publish(channel, it)
    await pass(lab, LONG_MS)
    await faults.resume()
    const sent = await flows(lab, speaker, hearer, channel)
    check(!hearer.on(channel).some((it) => String(it).startsWith("old")), "what is old must not be delivered")
    await balances(lab, hearer, channel, 3 + sent)
  }),
  fault("counts exactly what a cut connection lost", ["cut"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const { speaker, hearer } = await nodes.pair(channel)
    let sent = await talk(lab, speaker, channel, 10, "before")
    await hearer.hears(channel, 1)
    const cut = faults.cut()
    sent += await talk(lab, speaker, channel, 20, "meanwhile")
    await cut
    sent += await flows(lab, speaker, hearer, channel)
    await balances(lab, hearer, channel, sent)
  }),
  fault("notices a connection that swallows everything", ["blackHole", "heal"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    const { speaker, hearer } = await nodes.pair(channel)
    await faults.blackHole()
    void speaker.publish(channel, "lost")
    await until(lab, () => speaker.adapter.health().state !== "up", "the loss to be noticed")
    // the other one publishes nothing, and has to ask to find out
    await until(lab, () => hearer.adapter.health().state !== "up", "the silence to be noticed", 20_000)
    await faults.heal()
    await flows(lab, speaker, hearer, channel)
  }),
  fault("loses nothing and doubles nothing on a slow way", ["slow"], async (scene) => {
    const { lab, nodes, channel, faults } = scene
    await faults.slow(150)
    const { speaker, hearer } = await nodes.pair(channel)
    const sent = await talk(lab, speaker, channel, 30, "talk")
    await hearer.hears(channel, sent)
    checkSame(
      hearer.on(channel),
      Array.from({ length: sent }, (_, i) => `talk ${i}`),
      "what is heard",
    )
    checkSame([hearer.gaps, hearer.adapter.health().state], [[], "up"], "gaps and state")
  }),
]
