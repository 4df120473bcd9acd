import { createHub, createPresence, type HubConnection, type PresenceMember } from "holdfast"
import { describe, expectTypeOf, it } from "vitest"

interface User {
  readonly name: string
}
type Connection = HubConnection<{ n: number }, { text: string }, User>

const hub = createHub<{ n: number }, { text: string }, User>()

describe("T9 T10: presence", () => {
  it("has the meta that is made of a connection", () => {
    const presence = createPresence(hub, {
      meta: (connection, room) => {
        expectTypeOf(connection).toEqualTypeOf<Connection>()
        return { name: connection.data.name, room }
      },
    })
    type Meta = { name: string; room: string }
    expectTypeOf(presence.members("room")).toEqualTypeOf<readonly PresenceMember<Meta>[]>()
    presence.on("change", ({ joined, version }) => {
      expectTypeOf(joined[0]?.meta.name).toEqualTypeOf<string | undefined>()
      expectTypeOf(version).toEqualTypeOf<number>()
    })
    presence.update({} as Connection, "room", { name: "a", room: "b" })
    // @ts-expect-error the room is missing
    presence.update({} as Connection, "room", { name: "a" })
    // @ts-expect-error no such event
    presence.on("join", () => {})
  })

  it("has none where none is made", () => {
    expectTypeOf(createPresence(hub).members("room")[0]?.meta).toEqualTypeOf<undefined>()
  })

  it("is of a hub", () => {
    // @ts-expect-error a hub has connections
    createPresence({ on: () => () => {} })
    // @ts-expect-error a key is a string
    createPresence(hub, { key: () => 1 })
    // @ts-expect-error there is no such option
    createPresence(hub, { graceMs: 1 })
  })
})
