/**
 * Cases of subscribing: when it is confirmed, what it ends in, and which names a channel may have.
 */

import type { AdapterCase } from "./adapter-case.js"
import { checkSame, settles } from "./adapter-case.js"
import { behaviour } from "./define-cases.js"

/** Names that mean something to one engine or another. */
const ODD_NAMES = [
  "a.b",
  "a.*",
  "a.>",
  "*",
  ">",
  "a b",
  " ",
  "a\tb",
  "a\nb",
  "a\r\nb",
  "a\u0000b",
  "{a}",
  "{a}b",
  "a}{",
  "a:b",
  "a/b",
  "a\\b",
  "a%20b",
  "%",
  "'",
  '"',
  "[a-z]",
  "?",
  "$SYS",
  "#",
  "+",
  "=a",
  "ä",
  "A",
  "a",
  "🦀",
  "日本",
  "..",
  ".a",
  "a.",
]

/** Pairs that something sloppy would mix up: with the first subscribed, the second must not be heard. */
const LOOKALIKES = [
  ["a*", "ab"],
  ["a.>", "a.b"],
  ["a?", "ab"],
  ["[ab]", "a"],
  ["Room", "room"],
  ["a ", "a"],
  ["a", "a "],
  ["%61", "a"],
  ["{a}b", "{a}c"],
  ["\u00e4", "a\u0308"],
] as const

/** The cases. */
export const subscribingCases: readonly AdapterCase[] = [
  behaviour("confirms a subscription only once payloads will arrive", async ({ nodes, channel }) => {
    const [speaker, hearer] = [await nodes.start(), await nodes.start()]
    for (let i = 0; i < 50; i += 1) {
      await hearer.subscribe(`${channel} ${i}`)
      void speaker.publish(`${channel} ${i}`, "at once")
    }
    for (let i = 0; i < 50; i += 1) await hearer.hears(`${channel} ${i}`, 1)
  }),
  behaviour("confirms each of several askers only once payloads will arrive", async ({ nodes, channel }) => {
    const [speaker, hearer] = [await nodes.start(), await nodes.start()]
    await Promise.all(
      ["one", "two", "three"].map(async (word) => {
        await hearer.subscribe(channel)
        void speaker.publish(channel, word)
      }),
    )
    checkSame([...(await hearer.hears(channel, 3))].sort(), ["one", "three", "two"], "what is heard")
  }),
  behaviour("subscribes to a thousand channels in one call", async ({ nodes, channel }) => {
    const channels = Array.from({ length: 1_000 }, (_, i) => `${channel} ${i}`)
    const [speaker, hearer] = [await nodes.start(), await nodes.start(...channels)]
    for (const it of [channels[0], channels[511], channels[512], channels[999]]) {
      await speaker.say(it as string, "hi")
      await hearer.hears(it as string, 1)
    }
  }),
  behaviour("resolves when asked for nothing", async ({ nodes }) => {
    const node = await nodes.start()
    await node.subscribe()
    await node.unsubscribe()
  }),
  behaviour("delivers nothing after unsubscribing", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    await hearer.subscribe(`${channel} kept`)
    await speaker.say(channel, "one")
    await hearer.hears(channel, 1)
    await hearer.unsubscribe(channel)
    await speaker.say(channel, "two")
    await speaker.say(`${channel} kept`, "the end")
    await hearer.hears(`${channel} kept`, 1)
    checkSame(hearer.on(channel), ["one"], "what is heard")
  }),
  behaviour("unsubscribes from what it never had without harm", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    await hearer.unsubscribe(`${channel} unknown`)
    await hearer.unsubscribe(`${channel} unknown`, `${channel} unknown`)
    await speaker.say(channel, "hi")
    await hearer.hears(channel, 1)
  }),
  behaviour("hears again after unsubscribing and subscribing", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    await hearer.unsubscribe(channel)
    await hearer.subscribe(channel)
    await speaker.say(channel, "again")
    checkSame(await hearer.hears(channel, 1), ["again"], "what is heard")
  }),
  behaviour(
    "ends up subscribed after unsubscribe and subscribe in one turn",
    async ({ lab, nodes, channel }) => {
      const { speaker, hearer } = await nodes.pair(channel)
      const given = hearer.adapter.unsubscribe([channel])
      const taken = hearer.adapter.subscribe([channel])
      await settles(lab, Promise.all([given, taken]), "both to resolve")
      await speaker.say(channel, "hi")
      checkSame(await hearer.hears(channel, 1), ["hi"], "what is heard")
    },
  ),
  behaviour(
    "ends up unsubscribed after subscribe and unsubscribe in one turn",
    async ({ lab, nodes, channel }) => {
      const [speaker, hearer] = [await nodes.start(), await nodes.start(`${channel} kept`)]
      // whether a wish that was taken back at once resolves or rejects is the adapter's choice
      const taken = (async () => hearer.adapter.subscribe([channel]))().catch(() => {})
      await settles(lab, hearer.adapter.unsubscribe([channel]), "unsubscribe to resolve")
      await settles(lab, taken, "subscribe to settle")
      await speaker.say(channel, "hi")
      await speaker.say(`${channel} kept`, "the end")
      await hearer.hears(`${channel} kept`, 1)
      checkSame(hearer.on(channel), [], "what is heard")
    },
  ),
  behaviour("leaves the subscriptions of other nodes alone", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    const other = await nodes.start(channel)
    await other.unsubscribe(channel)
    await other.close()
    await speaker.say(channel, "hi")
    await hearer.hears(channel, 1)
  }),
  behaviour("takes any name for a channel", async ({ nodes, channel }) => {
    const channels = ODD_NAMES.map((name) => `${name}${channel}${name}`)
    const [speaker, hearer] = [await nodes.start(), await nodes.start(...channels)]
    for (const it of channels) void speaker.publish(it, it)
    for (const it of channels)
      checkSame(await hearer.hears(it, 1), [it], `what is heard on ${JSON.stringify(it)}`)
  }),
  behaviour("takes a name of 1,024 bytes", async ({ nodes, channel }) => {
    const long = channel.padEnd(1_022, "x")
    // the last is the longest one for an engine that writes every byte of it with three
    const names = [`${long}aa`, `${long}ab`, `${long}é`, `${channel}${"日".repeat(340)}`.slice(0, 341)]
    const [speaker, hearer] = [await nodes.start(), await nodes.start(...names)]
    for (const it of names) void speaker.publish(it, it)
    for (const it of names) checkSame(await hearer.hears(it, 1), [it], "what is heard")
  }),
  behaviour("takes no name for another", async ({ nodes, channel }) => {
    const subscribed = LOOKALIKES.map(([name], i) => `${channel}${i}${name}`)
    const [speaker, hearer] = [await nodes.start(), await nodes.start(...subscribed, `${channel} end`)]
    for (const [i, [, lookalike]] of LOOKALIKES.entries()) {
      await speaker.say(`${channel}${i}${lookalike}`, "not for you")
    }
    await speaker.say(`${channel} end`, "the end")
    await hearer.hears(`${channel} end`, 1)
    checkSame(
      hearer.messages.map((it) => it.payload),
      ["the end"],
      "what is heard",
    )
  }),
]
