import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { inTime } from "../../support/deadline.js"
import { startAttached } from "../../support/server-attached.js"
import { refusedBy } from "../../support/server-refusal.js"
import { connect } from "../../support/ws-server.js"

describe("S46: a login with an end, given by authenticate", () => {
  it("closes a real client with 4401 when it comes, and not when it was renewed", async () => {
    const clock = new VirtualClock()
    const authenticate = () => ({ expiresAt: new Date(clock.date() + 60_000) })
    const { url, added, hub } = await startAttached({ authenticate, clock }, { hub: { clock } })
    const [brief, renewed] = [await connect(url), await connect(url)]
    const connections = await added.take(2)
    hub.once("expiring", () => connections[1]?.renew(clock.date() + 90_000))
    await clock.advance(60_000)
    expect(await brief.closed()).toEqual({ code: 4401, reason: "the login has expired" })
    expect(await inTime(connections[0]?.closed ?? Promise.reject(), "the close")).toMatchObject({
      code: 4401,
    })
    expect(renewed.socket.readyState).toBe(1)
    await clock.advance(60_000)
    expect(await renewed.closed()).toMatchObject({ code: 4401 })
  })

  it("that lies in the past is a 401", async () => {
    const { url, refused, hub } = await startAttached({ authenticate: () => ({ expiresAt: Date.now() - 1 }) })
    expect(await refusedBy(url)).toMatchObject({ status: 401, body: "Unauthorized" })
    expect(await refused.next()).toMatchObject({ check: "authenticate", reason: "the login has expired" })
    expect(hub.size).toBe(0)
  })

  it.each(["soon", Number.NaN, new Date("never")])("that is no moment is a 500: %s", async (expiresAt) => {
    const { url, errors } = await startAttached({ authenticate: () => ({ expiresAt: expiresAt as number }) })
    expect(await refusedBy(url)).toMatchObject({ status: 500 })
    expect(await errors.next()).toMatchObject({ stage: "authenticate" })
  })
})
