import { InvalidOptionError } from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { addPeer, stubHub } from "../../support/stub-hub.js"
import { StubSocket } from "../../support/stub-socket.js"

const HOUR = 3_600_000

/** A hub on virtual time with one connection, and everything that is told of its login. */
function loggedIn(ms: number, asDate = false) {
  const clock = new VirtualClock()
  const calendar = { aheadMs: 0 }
  const date = clock.date.bind(clock)
  clock.date = () => date() + calendar.aheadMs
  const { hub } = stubHub({ clock, heartbeat: false })
  const socket = new StubSocket()
  const at = clock.date() + ms
  const connection = hub.add(socket, { expiresAt: asDate ? new Date(at) : at })
  const told: [who: string, at: number, expiresAt: number][] = []
  connection.on("expiring", (it) => told.push(["connection", clock.now(), it.expiresAt]))
  hub.on("expiring", (it) => told.push([it.connection.id, clock.now(), it.expiresAt]))
  return { clock, calendar, hub, socket, connection, at, told }
}

describe("S46: a login that ends", () => {
  it.each([false, true])(
    "is told 30 s before, and closes with 4401 at the moment (as a Date: %s)",
    async (asDate) => {
      const { clock, hub, socket, connection, at, told } = loggedIn(HOUR, asDate)
      expect(connection.expiresAt).toBe(at)
      await clock.advance(HOUR - 30_001)
      expect(told).toEqual([])
      await clock.advance(1)
      expect(told).toEqual([
        ["connection", HOUR - 30_000, at],
        [connection.id, HOUR - 30_000, at],
      ])
      await clock.advance(29_999)
      expect(connection.state).toBe("open")
      await clock.advance(1)
      expect(socket.closes).toEqual([{ code: 4401, reason: "the login has expired" }])
      expect(told).toHaveLength(2)
      expect([hub.size, clock.pending]).toEqual([0, 0])
    },
  )

  it("is told at once where it was shorter than 30 s, to those who listen by then", async () => {
    const { clock, connection, told } = loggedIn(10_000)
    await clock.advance(0)
    expect(told.map(([, at]) => at)).toEqual([0, 0])
    await clock.advance(10_000)
    expect(connection.state).toBe("closed")
  })

  it("that had ended before it began closes in the first turn, without a word before", async () => {
    const { clock, socket, told } = loggedIn(-1)
    await clock.advance(0)
    expect(socket.closes).toMatchObject([{ code: 4401 }])
    expect(told).toEqual([])
  })

  it("can be renewed from its own notice, again and again", async () => {
    const { clock, connection, told } = loggedIn(HOUR)
    let renewals = 0
    connection.on("expiring", () => {
      renewals += 1
      connection.renew(clock.date() + HOUR)
    })
    await clock.advance(10 * HOUR)
    expect([connection.state, renewals]).toEqual(["open", 10])
    expect(told).toHaveLength(20)
  })

  it("can be renewed later, or shortened, and set where there was none", async () => {
    const { clock, hub, connection } = loggedIn(HOUR)
    connection.renew(new Date(clock.date() + 2 * HOUR))
    await clock.advance(HOUR + 1_000)
    expect(connection.state).toBe("open")
    connection.renew(clock.date() + 1_000)
    await clock.advance(1_000)
    expect(connection.state).toBe("closed")
    const endless = hub.add(new StubSocket())
    expect(endless.expiresAt).toBeUndefined()
    endless.renew(clock.date() + HOUR)
    await clock.advance(HOUR)
    expect(endless.state).toBe("closed")
  })

  it("may lie farther ahead than a timer can wait", async () => {
    const farMs = 2 ** 31 + 24 * HOUR
    const { clock, connection, told } = loggedIn(farMs)
    await clock.advance(farMs - 30_001)
    expect([connection.state, told.length]).toEqual(["open", 0])
    await clock.advance(30_001)
    expect([connection.state, told.length]).toEqual(["closed", 2])
  })

  // the timer went on for as long as it had been told, and the login with it
  it("ends within a minute of a clock that was set forward, or a machine that has slept", async () => {
    const { clock, socket, told, calendar } = loggedIn(10 * HOUR)
    await clock.advance(HOUR)
    calendar.aheadMs = 20 * HOUR
    await clock.advance(60_000)
    expect(socket.closes).toMatchObject([{ code: 4401 }])
    expect(told).toEqual([])
  })

  it("goes by the calendar that was set back, and is told of its end once", async () => {
    const { clock, socket, told, calendar } = loggedIn(HOUR)
    calendar.aheadMs = -HOUR
    await clock.advance(2 * HOUR - 30_001)
    expect([socket.closes, told]).toEqual([[], []])
    await clock.advance(1)
    expect(told).toHaveLength(2)
    calendar.aheadMs = -2 * HOUR
    await clock.advance(HOUR)
    expect([socket.closes, told.length]).toEqual([[], 2])
    await clock.advance(30_000)
    expect(socket.closes).toMatchObject([{ code: 4401 }])
    expect(clock.pending).toBe(0)
  })

  it("is nobody's business once the connection has ended", async () => {
    const { clock, socket, connection, told } = loggedIn(HOUR)
    socket.end()
    expect(clock.pending).toBe(0)
    connection.renew(clock.date() + HOUR)
    expect(clock.pending).toBe(0)
    await clock.advance(2 * HOUR)
    expect(told).toEqual([])
  })

  it("leaves no timer when its notice ends the connection", async () => {
    const { clock, connection } = loggedIn(HOUR)
    connection.on("expiring", () => connection.terminate())
    await clock.advance(HOUR)
    expect([connection.state, clock.pending]).toEqual(["closed", 0])
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, "tomorrow", null, new Date("never")])(
    "cannot be %s",
    async (moment) => {
      const { hub, connection } = loggedIn(HOUR)
      expect(() => connection.renew(moment as number)).toThrow(InvalidOptionError)
      expect(() => hub.add(new StubSocket(), { expiresAt: moment as number })).toThrow(InvalidOptionError)
      expect(hub.size).toBe(1)
    },
  )
})

describe("S46: a user who is thrown out", () => {
  it("loses all connections of this node with the code that says so", async () => {
    const { hub } = stubHub()
    const mine = [addPeer(hub, { userId: "ann" }), addPeer(hub, { userId: "ann" })]
    const other = addPeer(hub, { userId: "bob" })
    const { results } = await hub.user("ann").close(4403, "revoked")
    expect(results).toMatchObject([{ value: [{ code: 4403 }, { code: 4403 }] }])
    for (const { socket } of mine) expect(socket.closes).toEqual([{ code: 4403, reason: "revoked" }])
    expect(other.connection.state).toBe("open")
  })
})
