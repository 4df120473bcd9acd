import { once } from "node:events"
import { readFileSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { Engine, type EngineKind } from "../../support/adapters-engine.js"
import { kafkaBroker } from "../../support/adapters-kafka.js"
import { natsServer } from "../../support/adapters-nats.js"
import { redisServer } from "../../support/adapters-redis.js"
import { startProgram } from "../../support/demo-process.js"
import { connect } from "../../support/ws-server.js"

/** Longer than Debian's packages take to install. */
const INSTALL_MS = 120_000

const ENGINES: readonly [string, () => EngineKind, (port: number) => NodeJS.ProcessEnv][] = [
  ["redis", redisServer, (port) => ({ REDIS_URL: `redis://127.0.0.1:${port}` })],
  ["nats", natsServer, (port) => ({ NATS_URL: `nats://127.0.0.1:${port}` })],
  ["kafka", kafkaBroker, (port) => ({ KAFKA_BROKERS: `127.0.0.1:${port}` })],
]

const engines = new Map<string, Engine>()

beforeAll(async () => {
  for (const [name, kind] of ENGINES) engines.set(name, await Engine.start(kind()))
}, INSTALL_MS)

afterAll(() => Promise.all([...engines.values()].map((engine) => engine.stop())))

const lineOf = (data: unknown) => JSON.parse(String(data)) as { type: string; text: string }

/** The first word of a node: on which one a client is. */
async function lobby(client: { next(): Promise<unknown> }): Promise<string> {
  const [, node = ""] = /you are in the lobby, on node (\d+)/.exec(lineOf(await client.next()).text) ?? []
  return node
}

describe.each(ENGINES)("npm run demo:%s", (name, _kind, env) => {
  it("carries what one node's client says to the other node's client, and stops in good order", async () => {
    const own = env((engines.get(name) as Engine).port)
    const program = startProgram(`cluster/${name}.ts`, [], { ...own, PORT: "0" })
    await program.line(/^Two nodes, and .* between them/)
    const addresses = [await program.line(/-c (ws:\S+)/), await program.line(/-c (ws:\S+)/)]
    const [ada, bob] = await Promise.all(addresses.map(([, address = ""]) => connect(address)))
    if (!ada || !bob) throw new Error("two clients")
    expect(await lobby(ada)).not.toBe(await lobby(bob))
    ada.send('{"type":"line","text":"hello over there"}')
    expect(lineOf(await bob.next())).toEqual({ type: "line", text: "hello over there" })
    program.signal("SIGTERM")
    expect(await program.exited()).toMatchObject({ code: 0, stderr: "" })
  })
})

describe("npm run demo:cluster", () => {
  it("shares a port between two workers, whose clients hear each other", async () => {
    const program = startProgram("cluster/workers.ts", [], { PORT: "0" })
    const [, address = ""] = await program.line(/-c (ws:\S+)/)
    const ada = await connect(address)
    const hers = await lobby(ada)
    let bob = await connect(address)
    // the primary deals connections out in turn
    for (let tries = 0; (await lobby(bob)) === hers; tries += 1) {
      expect(tries).toBeLessThan(20)
      bob = await connect(address)
    }
    ada.send('{"type":"line","text":"hello over there"}')
    expect(lineOf(await bob.next())).toEqual({ type: "line", text: "hello over there" })
    program.signal("SIGTERM")
    expect(await program.exited()).toMatchObject({ code: 0, stderr: "" })
  })
})

describe("a port that somebody else has", () => {
  it.each(["workers", "redis"])("ends all of cluster/%s.ts, and says so", async (name) => {
    const taken = createServer().listen(0, "127.0.0.1")
    onTestFinished(() => void taken.close())
    await once(taken, "listening")
    const { port } = taken.address() as AddressInfo
    const REDIS_URL = `redis://127.0.0.1:${engines.get("redis")?.port}`
    const { code, stderr } = await startProgram(`cluster/${name}.ts`, [], {
      REDIS_URL,
      PORT: `${port}`,
    }).exited()
    expect([code, stderr]).toEqual([1, expect.stringContaining(`EADDRINUSE`)])
  })
})

describe("examples/compose.yaml", () => {
  it("has every engine at the address that the examples take for granted", () => {
    const read = (file: string) => readFileSync(new URL(`../../../examples/${file}`, import.meta.url), "utf8")
    const compose = read("compose.yaml")
    for (const [name] of ENGINES) {
      const [, address = ""] = /= "(?:\w+:\/\/)?(127\.0\.0\.1:\d+)"/.exec(read(`cluster/${name}.ts`)) ?? []
      expect(compose).toMatch(new RegExp(`^  ${name}:`, "m"))
      expect(compose).toContain(`"${address}:${address.split(":")[1]}"`)
    }
  })
})
