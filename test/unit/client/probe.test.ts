import { binary, json } from "holdfast"
import { describe, expect, it } from "vitest"
import { fakeClient, openClient } from "../../support/client-fake.js"
import type { FrameSocket } from "../../support/client-network.js"

describe("C13 probe()", () => {
  it("C13 resolves with the round-trip time, with ping frames and without a heartbeat", async () => {
    const { client, clock, network, log } = await openClient({ make: "frames" })
    network.latencyMs = 40
    const rtt = client.probe()
    await clock.advance(40)
    expect(await rtt).toBe(40)
    expect([client.rttMs, log.pongs]).toEqual([40, [40]])
  })

  it("C13 resolves with the round-trip time of its own literal ping, in order, however many are out", async () => {
    const { client, clock, network } = await openClient({ codec: json() as never, answersLiteral: true })
    network.latencyMs = 50
    const first = client.probe()
    await clock.advance(30)
    network.latencyMs = 60
    const second = client.probe()
    await clock.advance(120)
    expect(await Promise.all([first, second])).toEqual([110, 120])
    expect(network.last.received).toEqual(["ping", "ping"])
  })

  it("C13 takes a pong frame for the answer to every ping before it (RFC 6455, section 5.5.3)", async () => {
    const { client, clock, network } = await openClient({ make: "frames" })
    const socket = network.last as FrameSocket
    socket.ping = (payload = "") => void socket.pings.push(payload)
    const first = client.probe()
    const second = client.probe()
    const third = client.probe({ timeoutMs: 50 })
    third.catch(() => {})
    await clock.advance(10)
    socket.pong(socket.pings[1] as string)
    expect(await Promise.all([first, second])).toEqual([10, 10])
    await clock.advance(50)
    await expect(third).rejects.toThrow("no answer to a ping within 50 ms")
  })

  it("C13 rejects after timeoutMs, 5 s by default, and leaves the connection alone", async () => {
    const { client, clock, network } = await openClient({ make: "frames" })
    network.last.isDeaf = true
    const lost = client.probe()
    lost.catch(() => {})
    await clock.advance(5_000)
    await expect(lost).rejects.toMatchObject({
      code: "PING_TIMEOUT",
      message: "no answer to a ping within 5000 ms",
    })
    expect([client.state, network.sockets.length]).toEqual(["open", 1])
  })

  it("C13 rejects when there is no connection, or it ends before the answer", async () => {
    const { client, clock, network } = fakeClient({ make: "frames" })
    await expect(client.probe()).rejects.toMatchObject({
      code: "CONNECTION_LOST",
      message: "there is no connection to probe: the client is idle",
    })
    await clock.advance(1)
    network.last.isDeaf = true
    const cut = client.probe()
    network.last.end(1006)
    await expect(cut).rejects.toMatchObject({ code: "CONNECTION_LOST" })
    await expect(client.probe()).rejects.toThrow("the client is waiting")
    expect(clock.pending).toBe(1)
  })

  it("C13 says what is missing where there is nothing to ping with", async () => {
    const { client } = await openClient({ codec: binary() as never })
    await expect(client.probe()).rejects.toMatchObject({ code: "INVALID_OPTION" })
    await expect(client.probe({ timeoutMs: 0 })).rejects.toThrow("probe.timeoutMs must be a number from 1")
  })

  it("C13 does not take a late pong of a connection before for an answer", async () => {
    const { client, clock, network } = await openClient({ make: "frames" })
    const old = network.last as FrameSocket
    old.isDeaf = true
    client.probe().catch(() => {})
    client.reconnect()
    await clock.advance(1)
    expect(network.sockets).toHaveLength(2)
    const socket = network.last as FrameSocket
    socket.isDeaf = true
    const probe = client.probe()
    probe.catch(() => {})
    old.pong("1")
    await clock.advance(5_000)
    await expect(probe).rejects.toMatchObject({ code: "PING_TIMEOUT" })
  })
})
