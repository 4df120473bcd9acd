/**
 * Cases of delivery: what, to whom, how often and in which order.
 */

import type { AdapterCase } from "./adapter-case.js"
import { check, checkSame, pass } from "./adapter-case.js"
import { behaviour } from "./define-cases.js"

/** Every byte there is. */
const ALL_BYTES = Uint8Array.from({ length: 256 }, (_, i) => i)

const LARGE = 200_000

/** The numbers from 0, as texts. */
const counted = (count: number, prefix = "") => Array.from({ length: count }, (_, i) => `${prefix}${i}`)

/** What a payload is, in a form that can be compared. */
const seen = (payload: unknown) =>
  typeof payload === "string" ? payload : { bytes: [...(payload as Uint8Array)] }

/** The cases. */
export const deliveryCases: readonly AdapterCase[] = [
  behaviour("delivers a text verbatim", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    const text = '{"ä":"🦀 \u0000 \\n\\" ퟿"}'
    await speaker.say(channel, text)
    checkSame(await hearer.hears(channel, 1), [text], "the text")
  }),
  behaviour("delivers bytes verbatim, and as bytes", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    await speaker.say(channel, ALL_BYTES)
    const [payload] = await hearer.hears(channel, 1)
    check(payload instanceof Uint8Array, "bytes must arrive as a Uint8Array")
    checkSame(seen(payload), seen(ALL_BYTES), "the bytes")
  }),
  behaviour("delivers empty payloads, each as what it was", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    await speaker.say(channel, "")
    await speaker.say(channel, new Uint8Array())
    checkSame((await hearer.hears(channel, 2)).map(seen), ["", { bytes: [] }], "the payloads")
  }),
  behaviour("delivers a large payload whole", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    const large = Uint8Array.from({ length: LARGE }, (_, i) => i % 251)
    await speaker.say(channel, large)
    const [payload] = await hearer.hears(channel, 1)
    check(payload instanceof Uint8Array && payload.byteLength === LARGE, `${LARGE} bytes must arrive`)
    check(
      payload.every((byte, i) => byte === i % 251),
      "every byte must be the one that was sent",
    )
  }),
  behaviour("names the channel and the node a payload comes from", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    await speaker.say(channel, "hi")
    await hearer.hears(channel, 1)
    const [message] = hearer.messages
    checkSame([message?.channel, message?.nodeId], [channel, speaker.nodeId], "channel and node")
  }),
  behaviour("carries who is left out", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    const exceptIds = ["a", "", "with, comma", "ünï\n"]
    const exceptChannels = ["room:x", `room:${"y".repeat(500)}`]
    await speaker.say(channel, "hi", { exceptIds, exceptChannels })
    await hearer.hears(channel, 1)
    const [message] = hearer.messages
    checkSame([message?.exceptIds, message?.exceptChannels], [exceptIds, exceptChannels], "the exceptions")
  }),
  behaviour("delivers to every node that is subscribed", async ({ nodes, channel }) => {
    const speaker = await nodes.start()
    const hearers = await Promise.all([nodes.start(channel), nodes.start(channel), nodes.start(channel)])
    await speaker.say(channel, "hi")
    for (const hearer of hearers) checkSame(await hearer.hears(channel, 1), ["hi"], "what each node hears")
  }),
  behaviour("delivers nothing to a node that is not subscribed", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    const stranger = await nodes.start(`${channel} too`)
    await speaker.say(channel, "hi")
    await speaker.say(`${channel} too`, "the end")
    await hearer.hears(channel, 1)
    await stranger.hears(`${channel} too`, 1)
    checkSame(stranger.on(channel), [], "what a stranger hears")
  }),
  behaviour("does not deliver a node's own payloads to it", async ({ nodes, channel }) => {
    const [one, other] = await Promise.all([nodes.start(channel), nodes.start(channel)])
    await one.say(channel, "mine")
    await other.hears(channel, 1)
    await other.say(channel, "yours")
    checkSame(await one.hears(channel, 1), ["yours"], "what the publisher hears")
  }),
  behaviour("delivers once, however often the channel was asked for", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    await hearer.subscribe(channel, channel)
    await hearer.subscribe(channel)
    await speaker.say(channel, "one")
    await speaker.say(channel, "two")
    checkSame(await hearer.hears(channel, 2), ["one", "two"], "what is heard")
  }),
  behaviour("delivers once, and never later again", async ({ lab, nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    await speaker.say(channel, "once")
    await hearer.hears(channel, 1)
    await pass(lab, 50)
    checkSame(hearer.on(channel), ["once"], "what is heard")
  }),
  behaviour("keeps channels apart", async ({ nodes, channel }) => {
    const channels = counted(5, `${channel} `)
    const [speaker, hearer] = [await nodes.start(), await nodes.start(...channels)]
    for (const it of channels) void speaker.publish(it, it)
    for (const it of channels) checkSame(await hearer.hears(it, 1), [it], "what is heard on a channel")
  }),
  behaviour("takes a payload that nobody wants", async ({ nodes, channel }) => {
    const speaker = await nodes.start()
    await speaker.say(channel, "anybody?")
  }),
  behaviour("keeps the order of one publisher that does not wait", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    const numbers = counted(200)
    for (const it of numbers) void speaker.publish(channel, it)
    checkSame(await hearer.hears(channel, 200), numbers, "the order")
  }),
  behaviour("keeps the order of large and small, text and bytes", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    const payloads = ["a", new Uint8Array(100_000).fill(7), "b", Uint8Array.of(1), "c".repeat(50_000), "d"]
    for (const it of payloads) void speaker.publish(channel, it)
    const lengths = (await hearer.hears(channel, payloads.length)).map((it) => it.length)
    checkSame(
      lengths,
      payloads.map((it) => it.length),
      "the order",
    )
  }),
  behaviour("keeps the order of each of two publishers", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    const other = await nodes.start()
    for (const it of counted(100)) {
      void speaker.publish(channel, `x${it}`)
      void other.publish(channel, `y${it}`)
    }
    const heard = (await hearer.hears(channel, 200)).map(String)
    for (const letter of ["x", "y"]) {
      checkSame(
        heard.filter((it) => it.startsWith(letter)),
        counted(100, letter),
        `the order of ${letter}`,
      )
    }
  }),
  behaviour("delivers the whole of a burst", async ({ nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    for (const it of counted(1_000)) void speaker.publish(channel, it)
    checkSame((await hearer.hears(channel, 1_000)).length, 1_000, "the burst")
  }),
  behaviour("reports no gap where there is none", async ({ lab, nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    for (const it of counted(100)) void speaker.publish(channel, it)
    await hearer.hears(channel, 100)
    await hearer.unsubscribe(channel)
    await speaker.say(channel, "unheard")
    await hearer.subscribe(channel)
    await speaker.say(channel, "heard")
    await hearer.hears(channel, 101)
    await pass(lab, 50)
    checkSame([hearer.gaps, speaker.gaps], [[], []], "the gaps")
  }),
  behaviour("refuses a payload above its limit with a coded error", async ({ lab, nodes, channel }) => {
    const { speaker, hearer } = await nodes.pair(channel)
    const { maxPayloadBytes } = speaker.adapter.capabilities
    if (maxPayloadBytes === false || maxPayloadBytes > 64 * 1024 * 1024) return
    const refused = speaker.publish(channel, new Uint8Array(maxPayloadBytes + 1))
    const error = await refused.then(
      () => undefined,
      (reason: { readonly code?: unknown }) => reason,
    )
    checkSame(error?.code, "PAYLOAD_TOO_LARGE", "the code of the error")
    await pass(lab, 0)
    await speaker.say(channel, "small")
    checkSame(await hearer.hears(channel, 1), ["small"], "what is heard")
  }),
]
