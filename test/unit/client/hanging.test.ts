import { describe, expect, it, vi } from "vitest"
import { fakeClient, openClient } from "../../support/client-fake.js"

const never = () => new Promise<never>(() => {})

describe("an attempt that hangs", () => {
  it.each([
    ["url", { url: never }],
    ["protocols", { protocols: never }],
    ["headers", { node: { headers: never } }],
    ["the server", {}],
  ])("C6 because of %s ends within connectTimeoutMs and is retried", async (_, options) => {
    const { client, clock, network, log } = fakeClient(options)
    network.onDial = () => {}
    await clock.advance(9_999)
    expect(client.state).toBe("connecting")
    await clock.advance(1)
    expect(client.state).toBe("waiting")
    expect(log.errors).toMatchObject([{ stage: "connect", error: { code: "CONNECT_TIMEOUT" } }])
    expect(String(log.errors[0]?.error)).toContain("10000 ms")
    await clock.advance(1_050)
    expect(client.state).toBe("connecting")
    await clock.advance(10_000)
    expect(log.errors).toHaveLength(2)
  })

  it("C6 has one deadline for all of it: url, handshake and onOpen", async () => {
    const clock = fakeClient().clock
    const { client, network, log } = fakeClient({
      clock,
      connectTimeoutMs: 300,
      url: () => new Promise((resolve) => clock.setTimer(() => resolve("ws://far.example/"), 100)),
      onOpen: never,
    })
    network.onDial = (socket) => clock.setTimer(() => socket.accept(), 100)
    await clock.advance(299)
    expect(client.state).toBe("open")
    await clock.advance(1)
    expect(client.state).toBe("waiting")
    expect(log.errors).toMatchObject([{ stage: "open", error: { code: "CONNECT_TIMEOUT" } }])
    expect(network.last.readyState).toBeGreaterThanOrEqual(2)
  })

  it("C6 is not cut once it is open and ready", async () => {
    const { client, clock } = await openClient({ connectTimeoutMs: 300 })
    await clock.advance(1_000)
    expect(client.state).toBe("open")
  })

  it("C6 aborts the signal it gave, so that a fetch for a token ends with it", async () => {
    const aborted = vi.fn()
    const { clock, log } = fakeClient({
      connectTimeoutMs: 300,
      url: ({ signal }) => {
        signal.addEventListener("abort", () => aborted(signal.reason))
        return never()
      },
    })
    await clock.advance(300)
    expect(aborted.mock.calls).toEqual([[log.errors[0]?.error]])
  })

  it("C6 is over: an address that comes too late is not dialled", async () => {
    const answers: ((url: string) => void)[] = []
    const { client, clock, network } = fakeClient({
      connectTimeoutMs: 300,
      url: () => new Promise<string>((resolve) => answers.push(resolve)),
    })
    await clock.advance(300 + 1_050)
    answers[0]?.("ws://late.example/")
    await clock.advance(1)
    expect(network.sockets).toEqual([])
    answers[1]?.("ws://far.example/")
    await clock.advance(1)
    expect(network.sockets.map(({ url }) => url)).toEqual(["ws://far.example/"])
    expect(client.state).toBe("open")
  })

  it("C6 is over: a handshake that completes too late opens nothing", async () => {
    const { client, clock, network, log } = fakeClient({ connectTimeoutMs: 300, make: "node24" })
    network.onDial = () => {}
    await clock.advance(300)
    const [first] = network.sockets
    if (first) first.readyState = 0
    first?.accept()
    expect(client.state).toBe("waiting")
    expect(log.states).not.toContain("open")
  })
})
