import { setTimeout as sleep } from "node:timers/promises"
import { ReconnectingClient } from "holdfast"
import { type FaultProxy, faultProxy, startTestHub } from "holdfast/testing/node"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { until } from "../../support/deadline.js"

const LONG_MS = 20_000
/** How long a fault lasts, in milliseconds: longer than it takes to be noticed. */
const FAULT_MS = 400
/** Messages before the fault, during it, and behind it, each way. */
const EACH = 60

/** How a line fails, and how it is well again. */
const FAULTS: Readonly<Record<string, (proxy: FaultProxy) => (() => void) | undefined>> = {
  "a stall both ways": (proxy) => {
    proxy.stall()
    return () => proxy.unstall()
  },
  "a stall towards the server": (proxy) => {
    proxy.stall("up")
    return () => proxy.unstall("up")
  },
  "a stall towards the client": (proxy) => {
    proxy.stall("down")
    return () => proxy.unstall("down")
  },
  "a line that is half-open": (proxy) => {
    proxy.freeze()
    return undefined
  },
  "a black hole": (proxy) => {
    proxy.blackHole()
    return () => proxy.heal()
  },
  "a reset": (proxy) => {
    proxy.reset()
    return undefined
  },
  "a FIN of the client": (proxy) => {
    proxy.halfClose("up")
    return undefined
  },
  "a FIN of the server": (proxy) => {
    proxy.halfClose("down")
    return undefined
  },
  "a refusal behind a reset": (proxy) => {
    proxy.refuse()
    proxy.reset()
    return () => proxy.accept()
  },
  "a cut in the middle of a frame from the client": (proxy) => {
    proxy.resetAfter(50, "up")
    return undefined
  },
  "a cut in the middle of a frame from the server": (proxy) => {
    proxy.resetAfter(50, "down")
    return undefined
  },
  latency: (proxy) => {
    proxy.latencyMs = 60
    return () => {
      proxy.latencyMs = 0
    }
  },
  "frames split over many pieces by a slow line": (proxy) => {
    proxy.bytesPerSecond = 4_000
    return () => {
      proxy.bytesPerSecond = false
    }
  },
}

/** A message: its number, and what makes it longer than a piece of a slow line. */
type Numbered = readonly [number: number, filler: string]

const FILLER = "x".repeat(30)

/** What came of one line. */
interface Account {
  readonly up: readonly number[]
  readonly down: readonly number[]
  readonly sent: number
  readonly fenced: ReadonlySet<number>
  readonly doubtful: ReadonlySet<number>
  readonly unconfirmed: number
}

/** Numbers both ways over a line that fails in the middle of them, every second one from the client fenced. */
async function sendThrough(fault: (proxy: FaultProxy) => (() => void) | undefined): Promise<Account> {
  const heartbeat = { intervalMs: 100, timeoutMs: 100 }
  await using server = await startTestHub<Numbered, Numbered>({ hub: { heartbeat, closeTimeoutMs: 200 } })
  await using proxy = await faultProxy(server.url)
  await using client = new ReconnectingClient<Numbered, Numbered>(proxy.url, {
    heartbeat,
    backoff: { initialMs: 10, floorMs: 1, maxMs: 50 },
    connectTimeoutMs: 400,
    closeTimeoutMs: 200,
    queue: { maxMessages: 10_000 },
    logger: false,
  })
  const [up, down]: [number[], number[]] = [[], []]
  const [fenced, doubtful] = [new Set<number>(), new Set<number>()]
  let [sent, told, unconfirmed] = [0, 0, 0]
  server.hub.on("message", ({ data: [number] }) => up.push(number))
  client.on("message", ({ data: [number] }) => down.push(number))
  client.on("unconfirmed", ({ count }) => {
    unconfirmed += count
  })
  const sendFenced = async () => {
    const number = sent
    sent += 1
    fenced.add(number)
    await client.sendAsync([number, FILLER], { until: "fenced" }).catch(() => doubtful.add(number))
    return !doubtful.has(number)
  }
  const sendSome = async () => {
    for (let i = 0; i < EACH; i += 1) {
      if (i % 2 === 0) void sendFenced()
      else client.send([sent++, FILLER])
      server.hub.broadcast([told++, FILLER])
      if (i % 3 === 0) await sleep(FAULT_MS / (EACH / 3))
    }
  }
  await client.opened
  await sendSome()
  const heal = fault(proxy)
  await sendSome()
  heal?.()
  await sendSome()
  // the first one that is proved says that everything before it has had its fate
  while (!(await sendFenced())) await sleep(10)
  await until(
    () => client.state === "open" && server.hub.size === 1,
    "one connection on either side",
    LONG_MS,
  )
  server.hub.broadcast([told, FILLER])
  await until(() => down.at(-1) === told, "the last message", LONG_MS)
  return { up, down, sent, fenced, doubtful, unconfirmed }
}

const isRising = (numbers: readonly number[]) =>
  numbers.every((it, index) => index === 0 || it > (numbers[index - 1] as number))

describe("R20: through a fault proxy nothing is doubled, nothing out of order, and what is lost is told", () => {
  const uncaught: unknown[] = []
  const trap = (error: unknown) => void uncaught.push(error)
  const outcomes = new Map<string, Promise<Account>>()

  beforeAll(() => {
    process.on("uncaughtExceptionMonitor", trap).on("unhandledRejection", trap)
    for (const [name, fault] of Object.entries(FAULTS)) {
      const outcome = sendThrough(fault)
      outcome.catch(() => {})
      outcomes.set(name, outcome)
    }
  })

  afterAll(() => {
    process.off("uncaughtExceptionMonitor", trap).off("unhandledRejection", trap)
    expect(uncaught).toEqual([])
  })

  it.each(Object.keys(FAULTS))("R20: %s", { timeout: 60_000 }, async (name) => {
    const { up, down, sent, fenced, doubtful, unconfirmed } = (await outcomes.get(name)) as Account
    expect([isRising(up), isRising(down)]).toEqual([true, true])
    const arrived = new Set(up)
    const lost = Array.from({ length: sent }, (_, number) => number).filter((it) => !arrived.has(it))
    expect(lost.filter((it) => fenced.has(it) && !doubtful.has(it))).toEqual([])
    expect(lost.length).toBeLessThanOrEqual(unconfirmed)
    // it went on behind the fault, both ways
    expect(up.length).toBeGreaterThan(EACH)
    expect(down.length).toBeGreaterThan(EACH)
  })

  it("R20: the faults did hurt", { timeout: 60_000 }, async () => {
    const accounts = await Promise.all(outcomes.values())
    const hurt = accounts.filter(({ doubtful, unconfirmed }) => doubtful.size + unconfirmed > 0)
    expect(hurt.length).toBeGreaterThan(4)
  })
})
