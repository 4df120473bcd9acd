import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { type KafkaJsLike, kafka } from "holdfast/adapters/kafka"
import { describe, expect, it, onTestFinished } from "vitest"
import { Engine, type EngineKind } from "../../support/adapters-engine.js"
import { natsAdapter, natsServer } from "../../support/adapters-nats.js"
import { AdapterNode } from "../../support/adapters-node.js"
import { REDIS_CLIENTS, redisServer } from "../../support/adapters-redis.js"
import { QUICK } from "../../support/adapters-suite.js"
import { until } from "../../support/deadline.js"

const KB = 1_024

async function start(kind: EngineKind): Promise<Engine> {
  const engine = await Engine.start(kind)
  onTestFinished(() => engine.stop())
  return engine
}

describe("A7: a limit of the broker", () => {
  it("max_payload of a NATS server below what the adapter was told is PAYLOAD_TOO_LARGE, and nothing else breaks", async () => {
    const smallServer: EngineKind = {
      ...natsServer(),
      args(port, folder) {
        const file = join(folder, "small.conf")
        writeFileSync(file, `max_payload: ${4 * KB}\n`)
        return [...natsServer().args(port, folder), "-c", file]
      },
    }
    const { port } = await start(smallServer)
    const make = () => natsAdapter(`nats://127.0.0.1:${port}`, QUICK)
    const [speaker, hearer] = [await AdapterNode.start(make()), await AdapterNode.start(make(), "c")]
    onTestFinished(async () => void (await Promise.all([speaker.close(), hearer.close()])))
    await speaker.publish("c", "before")
    await expect(speaker.publish("c", "x".repeat(5 * KB))).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
      message: expect.stringMatching(
        /^the NATS server \(max_payload\) takes up to 4096 bytes.* received 5\d\d\d$/,
      ),
    })
    await speaker.publish("c", "after")
    await until(() => hearer.texts.includes("after"), "the last")
    expect([speaker.states, hearer.lost]).toEqual([["connecting", "up"], 1])
  })

  it.each(Object.entries(REDIS_CLIENTS))(
    "client-output-buffer-limit of Redis cuts a subscriber of %s, which comes back and is told what it missed",
    async (_name, makeAdapter) => {
      const { port } = await start(redisServer("--client-output-buffer-limit", `pubsub ${64 * KB} 0 0`))
      const make = () => makeAdapter(`redis://127.0.0.1:${port}`, QUICK)
      const [speaker, hearer] = [await AdapterNode.start(make()), await AdapterNode.start(make(), "c")]
      onTestFinished(async () => void (await Promise.all([speaker.close(), hearer.close()])))
      await speaker.publish("c", "before")
      await until(() => hearer.texts.includes("before"), "the first")
      await speaker.publish("c", "x".repeat(512 * KB))
      await until(() => hearer.lost === 1, "the loss to be counted", 20_000)
      await speaker.publish("c", "after")
      await until(() => hearer.texts.includes("after"), "the last")
      expect(hearer.texts).toEqual(["before", "after"])
      expect(hearer.gaps.some(({ channels }) => channels === "all")).toBe(true)
      expect(hearer.adapter.health().counters).toMatchObject({ lost: 1, reconnects: 1 })
    },
  )

  it("max.message.bytes of a topic below what the adapter was told is PAYLOAD_TOO_LARGE", async () => {
    // what kafkajs throws: Kafka's answer in a wrapper of its own
    const answer = Object.assign(new Error("larger than the max message size"), { type: "MESSAGE_TOO_LARGE" })
    const send = async () => {
      throw new Error("kafkajs gives up", { cause: answer })
    }
    const producer = { connect: async () => {}, disconnect: async () => {}, send }
    const client: KafkaJsLike = { producer: () => producer, consumer: () => producer }
    const node = new AdapterNode(kafka(client))
    onTestFinished(() => node.close())
    await node.connect(true)
    await expect(node.publish("c", "large")).rejects.toMatchObject({
      code: "PAYLOAD_TOO_LARGE",
      message: expect.stringMatching(/max\.message\.bytes/),
      cause: { cause: answer },
    })
  })
})
