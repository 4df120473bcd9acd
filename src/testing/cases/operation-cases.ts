/**
 * Cases of operations: what nodes say to each other beside payloads.
 */

import type { AdapterCase } from "./adapter-case.js"
import { checkSame, settles, until } from "./adapter-case.js"
import type { CaseNode, CaseOperation } from "./case-node.js"
import { behaviour, type CaseScene } from "./define-cases.js"

const BYTES = Uint8Array.of(0, 1, 127, 128, 255)

/** Sends an operation under a name of this case: nodes of other cases may be at the same engine. */
async function operate(
  { lab, channel }: CaseScene,
  node: CaseNode,
  to: string,
  name: string,
  bytes = BYTES,
): Promise<void> {
  await settles(lab, node.adapter.send(to, `${channel} ${name}`, bytes), "send to resolve")
}

/** The operations of this case that a node heard. */
function heard({ channel }: CaseScene, node: CaseNode): CaseOperation[] {
  return node.operations
    .filter(({ operation }) => operation.startsWith(`${channel} `))
    .map((it) => ({ ...it, operation: it.operation.slice(channel.length + 1) }))
}

async function hears(scene: CaseScene, node: CaseNode, count: number): Promise<readonly string[]> {
  await until(scene.lab, () => heard(scene, node).length >= count, `${count} operations`)
  return heard(scene, node).map(({ operation }) => operation)
}

/** The cases. */
export const operationCases: readonly AdapterCase[] = [
  behaviour("brings an operation to one node alone", async (scene) => {
    const { nodes } = scene
    const [one, two, three] = [await nodes.start(), await nodes.start(), await nodes.start()]
    await operate(scene, one, two.nodeId, "for two")
    await operate(scene, one, "*", "for all")
    checkSame([...(await hears(scene, two, 2))].sort(), ["for all", "for two"], "what two hears")
    checkSame(await hears(scene, three, 1), ["for all"], "what three hears")
  }),
  behaviour("brings an operation for all to all but its sender", async (scene) => {
    const { nodes } = scene
    const [one, two] = [await nodes.start(), await nodes.start()]
    await operate(scene, one, "*", "from one")
    await hears(scene, two, 1)
    await operate(scene, two, "*", "from two")
    checkSame(await hears(scene, one, 1), ["from two"], "what one hears")
    checkSame(await hears(scene, two, 1), ["from one"], "what two hears")
  }),
  behaviour("carries the bytes of an operation verbatim", async (scene) => {
    const [one, two] = [await scene.nodes.start(), await scene.nodes.start()]
    await operate(scene, one, two.nodeId, "some")
    await operate(scene, one, two.nodeId, "none", new Uint8Array())
    await hears(scene, two, 2)
    checkSame(
      heard(scene, two).map(({ bytes }) => [...bytes]),
      [[...BYTES], []],
      "the bytes",
    )
  }),
  behaviour("names the node an operation comes from", async (scene) => {
    const [one, two] = [await scene.nodes.start(), await scene.nodes.start()]
    await operate(scene, one, "*", "hi")
    await hears(scene, two, 1)
    checkSame(heard(scene, two)[0]?.nodeId, one.nodeId, "the sender")
  }),
  behaviour("keeps the order of operations for one node", async (scene) => {
    const [one, two] = [await scene.nodes.start(), await scene.nodes.start()]
    const names = Array.from({ length: 50 }, (_, i) => `${i}`)
    await Promise.all(names.map((name) => operate(scene, one, two.nodeId, name)))
    checkSame(await hears(scene, two, 50), names, "the order")
  }),
  behaviour("survives an operation for a node that is not there", async (scene) => {
    const [one, two] = [await scene.nodes.start(), await scene.nodes.start()]
    const sent = (async () => one.adapter.send("nobody", "hello?", BYTES))().catch(() => {})
    await settles(scene.lab, sent, "send to settle")
    await operate(scene, one, two.nodeId, "hi")
    checkSame(await hears(scene, two, 1), ["hi"], "what two hears")
  }),
  behaviour("keeps operations and payloads apart", async (scene) => {
    const { nodes, channel } = scene
    const { speaker, hearer } = await nodes.pair(channel)
    await operate(scene, speaker, hearer.nodeId, "operation")
    await speaker.say(channel, "payload")
    await hearer.hears(channel, 1)
    checkSame(await hears(scene, hearer, 1), ["operation"], "the operations")
    checkSame(hearer.on(channel), ["payload"], "the payloads")
  }),
]
