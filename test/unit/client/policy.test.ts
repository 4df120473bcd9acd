import { type ConnectError, type LinkEnd, type ReconnectingClientOptions, StopReconnecting } from "holdfast"
import { describe, expect, it, vi } from "vitest"
import { openClient } from "../../support/client-fake.js"
import { seededRandom } from "../../support/seeded-random.js"

type Options = Omit<ReconnectingClientOptions<string, string>, "clock">

/** What an open client does when the server closes with that code. */
async function afterClose(code: number, reason = "", options: Options = {}) {
  const { client, clock, network, log } = await openClient(options)
  network.last.end(code, reason)
  const delayMs = client.retryAt === undefined ? undefined : client.retryAt - clock.date()
  return { client, log, delayMs, cause: log.ends[0]?.cause }
}

/** The delays that many draws give for that close. */
async function delaysAfter(code: number, reason = "", draws = 300): Promise<number[]> {
  const random = seededRandom(code)
  const delays: number[] = []
  for (let i = 0; i < draws; i += 1) {
    const { delayMs } = await afterClose(code, reason, { backoff: { random } })
    if (delayMs !== undefined) delays.push(delayMs)
  }
  return delays.sort((a, b) => a - b)
}

describe("a close code", () => {
  it.each([1002, 1003, 1007, 1008, 1009, 1010, 4400, 4402, 4429, 4499])(
    "C9 of %i ends the client for good",
    async (code) => {
      const { client, cause, delayMs } = await afterClose(code, "no")
      expect(client.state).toBe("closed")
      expect(cause).toBe("close-code")
      expect(delayMs).toBeUndefined()
    },
  )

  it.each([4401, 4403])("C9 of %i ends the client with cause auth", async (code) => {
    expect((await afterClose(code)).cause).toBe("auth")
  })

  it.each([1000, 1001, 1005, 1006, 1011, 1014, 1015, 3000, 3999, 4000, 4399, 4500, 4999])(
    "C9 of %i is retried with the usual backoff",
    async (code) => {
      const { client, delayMs } = await afterClose(code)
      expect(client.state).toBe("waiting")
      expect(delayMs).toBe(1_050)
    },
  )

  it.each([1012, 1013])("C9 of %i is retried after a uniform 5–30 s", async (code) => {
    const delays = await delaysAfter(code)
    expect(delays).toHaveLength(300)
    expect(delays[0]).toBeGreaterThanOrEqual(5_000)
    expect(delays[0]).toBeLessThan(6_000)
    expect(delays.at(-1)).toBeLessThanOrEqual(30_000)
    expect(delays.at(-1)).toBeGreaterThan(29_000)
    expect(delays[150]).toBeGreaterThan(15_500)
    expect(delays[150]).toBeLessThan(19_500)
  })

  it("C9 is overridden code by code", async () => {
    const closeCodes = { 1008: "now", 4000: "never", 1012: "now", 4499: "later" } as const
    expect((await afterClose(1008, "", { closeCodes })).delayMs).toBe(1_050)
    expect((await afterClose(4000, "", { closeCodes })).cause).toBe("close-code")
    expect((await afterClose(1012, "", { closeCodes })).delayMs).toBe(1_050)
    expect((await afterClose(4499, "", { closeCodes })).delayMs).toBe(17_500)
    expect((await afterClose(1003, "", { closeCodes })).cause).toBe("close-code")
  })

  it("C9 is told with its reason", async () => {
    const { log } = await afterClose(4403, "revoked")
    expect(log.ends[0]?.lastClose).toEqual({ code: 4403, reason: "revoked", wasOpen: true, error: undefined })
    expect(log.changes.at(-1)?.lastClose).toBe(log.ends[0]?.lastClose)
  })
})

describe("a close reason that asks to stay away", () => {
  it.each([
    ['{"retryAfterMs":20000}', 20_000],
    ['{"retryAfterMs":300000}', 300_000],
    ['{"retryAfterMs":300001}', 300_000],
    ['{"retryAfterMs":1e12}', 300_000],
    ['{"why":"deploy","retryAfterMs":2500}', 2_500],
  ])("C9 is honoured, up to 5 min: %s", async (reason, delayMs) => {
    expect((await afterClose(1001, reason)).delayMs).toBe(delayMs)
  })

  it("C9 takes the place of the 5–30 s of 1013, and never shortens the usual wait", async () => {
    expect((await afterClose(1013, '{"retryAfterMs":2000}')).delayMs).toBe(2_000)
    expect((await afterClose(1001, '{"retryAfterMs":0}')).delayMs).toBe(1_050)
  })

  it.each(['{"retryAfterMs":-5}', '{"retryAfterMs":"9"}', '{"retryAfterMs":null}', "{", "{}", "[]", "null"])(
    "C9 is passed over when it makes no sense: %s",
    async (reason) => {
      expect((await afterClose(1001, reason)).delayMs).toBe(1_050)
    },
  )

  it("C9 does not bring back a client that may not come back", async () => {
    expect((await afterClose(4401, '{"retryAfterMs":20000}')).cause).toBe("auth")
  })
})

describe("shouldReconnect", () => {
  it("C7 is asked after each end, with how it ended", async () => {
    const shouldReconnect = vi.fn<(end: LinkEnd) => undefined>()
    const { clock, network } = await openClient({ shouldReconnect })
    network.onDial = (socket) => socket.refuse()
    network.last.end(1001, "bye")
    expect(shouldReconnect).toHaveBeenLastCalledWith({ code: 1001, reason: "bye", wasOpen: true })
    await clock.advance(1_050)
    expect(shouldReconnect).toHaveBeenCalledTimes(2)
    const end = shouldReconnect.mock.lastCall?.[0]
    expect(end).toMatchObject({ code: 1006, wasOpen: false })
    expect((end?.error as ConnectError | undefined)?.code).toBe("CONNECT_FAILED")
  })

  it("C7 returning false ends the client", async () => {
    expect((await afterClose(1001, "", { shouldReconnect: () => false })).cause).toBe("stopped")
  })

  it("C7 returning true dials again after the usual wait, whatever the code", async () => {
    expect((await afterClose(1008, "", { shouldReconnect: () => true })).delayMs).toBe(1_050)
    expect((await afterClose(1012, "", { shouldReconnect: () => true })).delayMs).toBe(1_050)
  })

  it("C7 returning { delayMs } sets the wait, whatever the code", async () => {
    const shouldReconnect = () => ({ delayMs: 7 })
    expect((await afterClose(1001, "", { shouldReconnect })).delayMs).toBe(7)
    expect((await afterClose(4401, '{"retryAfterMs":9000}', { shouldReconnect })).delayMs).toBe(7)
    expect((await afterClose(1001, "", { shouldReconnect: () => ({ delayMs: 0 }) })).delayMs).toBe(0)
  })

  it("C7 returning undefined leaves it to the code", async () => {
    const shouldReconnect = () => undefined
    expect((await afterClose(1001, "", { shouldReconnect })).delayMs).toBe(1_050)
    expect((await afterClose(1008, "", { shouldReconnect })).cause).toBe("close-code")
  })

  it("C7 throwing StopReconnecting ends the client with that error", async () => {
    const error = new StopReconnecting("enough")
    const { log, cause } = await afterClose(1001, "", {
      shouldReconnect: () => {
        throw error
      },
    })
    expect(cause).toBe("stopped")
    expect(log.ends[0]?.error).toBe(error)
  })

  it("C7 throwing anything else is an error event, and the code decides", async () => {
    const error = new Error("a bug")
    const shouldReconnect = () => {
      throw error
    }
    const { log, delayMs } = await afterClose(1001, "", { shouldReconnect })
    expect(delayMs).toBe(1_050)
    expect(log.errors).toEqual([{ error, stage: "listener" }])
    expect((await afterClose(1008, "", { shouldReconnect })).cause).toBe("close-code")
  })

  it.each([{ delayMs: -1 }, { delayMs: Number.NaN }, { delayMs: "5" }, {}, null, Promise.resolve(true)])(
    "C7 returning what is no decision is an error event, and the code decides: %o",
    async (decision) => {
      const { log, delayMs } = await afterClose(1001, "", { shouldReconnect: () => decision as never })
      expect(delayMs).toBe(1_050)
      expect(log.errors).toHaveLength(1)
    },
  )

  it("C7 may close, pause or re-dial by itself", async () => {
    for (const [step, state] of [
      ["close", "closed"],
      ["pause", "paused"],
      ["reconnect", "connecting"],
    ] as const) {
      let act = () => {}
      const { client, network } = await openClient({ shouldReconnect: () => void act() })
      act = () => void client[step]()
      network.last.end(1001)
      expect(client.state).toBe(state)
    }
  })
})

describe("a backoff.random that fails", () => {
  const bug = new Error("no entropy")
  const broken: readonly (readonly [string, () => number])[] = [
    [
      "throws",
      () => {
        throw bug
      },
    ],
    ["returns NaN", () => Number.NaN],
    ["returns no number", () => "0.5" as never],
    ["returns too much", () => 50],
  ]

  it.each(broken)("C1 and %s is an error event, and the wait is drawn all the same", async (_, random) => {
    for (const code of [1006, 1012]) {
      const { client, clock, network, log } = await openClient({ backoff: { random } })
      network.last.end(code)
      expect(client.state).toBe("waiting")
      const delayMs = (client.retryAt ?? 0) - clock.date()
      expect(delayMs).toBeGreaterThanOrEqual(code === 1012 ? 5_000 : 100)
      expect(delayMs).toBeLessThanOrEqual(code === 1012 ? 30_000 : 2_000)
      await clock.advance(30_000)
      expect([client.state, network.sockets.length]).toEqual(["open", 2])
      expect(log.errors.every(({ stage }) => stage === "listener")).toBe(true)
      expect(log.errors.length).toBeGreaterThan(0)
    }
  })

  it("C10 may end the client from the event that tells of it", async () => {
    const { client, clock, network, log } = await openClient({ backoff: { random: () => Number.NaN } })
    client.on("error", () => void client.close())
    network.last.cut()
    await clock.advance(60_000)
    expect(log.ends).toMatchObject([{ cause: "closed" }])
    expect(clock.pending).toBe(0)
  })
})

it("C9 takes a close event without a reason, as React Native has it, for one with none", async () => {
  const { client, network, log } = await openClient()
  network.last.readyState = 3
  network.last.emit("close", { code: 1001 })
  expect(client.state).toBe("waiting")
  expect(log.changes.at(-1)?.lastClose).toMatchObject({ code: 1001, reason: "" })
})
