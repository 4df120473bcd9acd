import { expect, it, vi } from "vitest"
import { fakeSocket } from "../../support/compat-fake.js"

vi.mock("isomorphic-ws", () => ({ default: null }))

it("C39 without a WebSocket on this platform there is one error, one close, and the end", async () => {
  vi.stubGlobal("WebSocket", undefined)
  const { socket, clock, lines } = fakeSocket({ WebSocket: undefined })
  await clock.advance(60_000)
  expect(lines).toEqual([
    expect.stringMatching(/^error this platform has no WebSocket/),
    "close 1006 - unclean @3",
  ])
  expect([socket.shouldReconnect, clock.pending]).toEqual([false, 0])
})
