import { createHub, type Hub, json } from "holdfast"
import { describe, expect, it, onTestFinished } from "vitest"
import { startProxy } from "../../support/client-proxy.js"
import { dial, RestartingServer } from "../../support/client-servers.js"
import { until } from "../../support/deadline.js"
import { seededRandom } from "../../support/seeded-random.js"
import { startServer } from "../../support/ws-server.js"

const CLIENTS = 20
const CUTS = 10_000 / CLIENTS
const LONG_MS = 60_000

/** One client's numbers: what it was told about each, and what came of them. */
class Account {
  readonly received: number[] = []
  readonly confirmed = new Set<number>()
  readonly doubtful = new Set<number>()
  readonly fenced = new Set<number>()
  sent = 0
  /** Messages that connections could not vouch for. */
  unconfirmed = 0

  /** Numbers that were sent and did not arrive. */
  get lost(): number[] {
    const arrived = new Set(this.received)
    return Array.from({ length: this.sent }, (_, number) => number).filter((it) => !arrived.has(it))
  }
}

/** A hub on a server of its own that writes down what it receives. */
async function startRecorder(received: number[]): Promise<RestartingServer> {
  const hub: Hub<number, never> = createHub({ logger: false, heartbeat: false })
  hub.on("message", ({ data }) => received.push(data))
  onTestFinished(() => hub.close())
  const server = await RestartingServer.start()
  server.onConnection = (socket, request) => void hub.add(socket, { request })
  return server
}

/** Sends numbers, some of them fenced, over a line that is cut at random moments. */
async function sendThroughCuts(seed: number): Promise<Account> {
  const random = seededRandom(seed)
  const account = new Account()
  const server = await startRecorder(account.received)
  const proxy = await startProxy(server.port)
  const backoff = { initialMs: 1, floorMs: 0, maxMs: 1 }
  const { client } = dial(proxy.url, {
    codec: json<never, number>(),
    backoff,
    queue: { maxMessages: 10_000 },
  })
  client.on("unconfirmed", ({ count }) => {
    account.unconfirmed += count
  })
  // a line that was cut still counts as open until the client hears of it
  const isBack = () => client.state === "open" && proxy.size === 1
  const sendNext = () => {
    const number = account.sent
    account.sent += 1
    if (random() < 0.5) {
      expect(client.send(number)).not.toBe("dropped")
      return
    }
    account.fenced.add(number)
    client.sendAsync(number, { until: "fenced" }).then(
      () => account.confirmed.add(number),
      () => account.doubtful.add(number),
    )
  }
  for (let cuts = 0; cuts < CUTS; cuts += 1) {
    await until(isBack, "the client to be back", LONG_MS)
    const turns = Math.floor(random() * 4)
    for (let turn = 0; turn <= turns; turn += 1) {
      sendNext()
      if (random() < 0.7) await new Promise((resolve) => setImmediate(resolve))
    }
    proxy.reset()
  }
  await until(isBack, "the client to be back", LONG_MS)
  await client.sendAsync(account.sent, { until: "fenced" })
  account.received.pop()
  return account
}

describe("C23 what nothing proves to have arrived", () => {
  it("C23 is told, all of it, through 10,000 random cuts: nothing doubled, nothing out of order", async () => {
    const seeds = Array.from({ length: CLIENTS }, (_, index) => index + 1)
    const accounts = await Promise.all(seeds.map(sendThroughCuts))
    for (const { received, confirmed, doubtful, fenced, lost, unconfirmed } of accounts) {
      expect(received.every((it, index) => index === 0 || it > (received[index - 1] as number))).toBe(true)
      expect(confirmed.size + doubtful.size).toBe(fenced.size)
      const arrived = new Set(received)
      expect([...confirmed].filter((it) => !arrived.has(it))).toEqual([])
      expect(lost.filter((it) => fenced.has(it) && !doubtful.has(it))).toEqual([])
      expect(lost.length).toBeLessThanOrEqual(unconfirmed)
    }
    const total = (count: (account: Account) => number) => accounts.reduce((sum, it) => sum + count(it), 0)
    // the cuts did hurt, and proofs did come
    expect(total((it) => it.lost.length)).toBeGreaterThan(100)
    expect(total((it) => it.confirmed.size)).toBeGreaterThan(100)
    expect(total((it) => it.doubtful.size)).toBeLessThan(total((it) => it.fenced.size))
  }, 120_000)

  it("C23 is 100 of 100 messages into a line that swallows them", async () => {
    const { url, accepted } = await startServer()
    const proxy = await startProxy(Number(new URL(url).port))
    const { client } = dial(proxy.url, { heartbeat: { intervalMs: 100, timeoutMs: 100 } })
    const counts: number[] = []
    client.on("unconfirmed", ({ count }) => counts.push(count))
    const { socket } = await accepted()
    const received: string[] = []
    socket.on("message", (data) => received.push(String(data)))
    await client.opened
    await client.sendAsync("proved", { until: "fenced" })
    proxy.freeze()
    const fates = Array.from({ length: 50 }, () => client.sendAsync("fenced", { until: "fenced" }))
    for (let i = 0; i < 50; i += 1) expect(client.send("plain")).toBe("sent")
    const codes = await Promise.all(fates.map((it) => it.catch(({ code }) => code)))
    expect(codes).toEqual(Array(50).fill("UNCONFIRMED"))
    await until(() => counts.length > 0, "the count")
    expect([counts, received]).toEqual([[100], ["proved"]])
  })
})
