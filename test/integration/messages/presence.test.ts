import { createPresence, json, type PresenceChange, type PresenceSnapshot } from "holdfast"
import { describe, expect, it } from "vitest"
import { dial } from "../../support/client-servers.js"
import { until } from "../../support/deadline.js"
import { startHub } from "../../support/hub-server.js"

type News =
  | { type: "present"; is: PresenceSnapshot<undefined> }
  | { type: "presence"; is: PresenceChange<undefined> }

describe("T9: presence over real sockets", () => {
  it("reaches every member of a room, from its snapshot on", async () => {
    await using server = await startHub<unknown, News>()
    const presence = createPresence(server.hub)
    presence.on("change", (is) => server.hub.to(is.room).local.send({ type: "presence", is }))
    server.hub.on("join", ({ connection, room }) =>
      connection.send({ type: "present", is: presence.snapshot(room) }),
    )
    server.hub.on("connection", ({ connection }) => void connection.join("lobby"))

    /** A client that keeps the list of members by what it is told. */
    const enter = () => {
      const { client } = dial<News, unknown>(server.url, { codec: json() })
      const members = new Set<string>()
      client.on("message", ({ data }) => {
        if (data.type === "present") members.clear()
        const { left = [], ...rest } = data.is as Partial<
          PresenceChange<undefined> & PresenceSnapshot<undefined>
        >
        for (const { key } of [...(rest.members ?? []), ...(rest.joined ?? [])]) members.add(key)
        for (const { key } of left) members.delete(key)
      })
      return { client, members }
    }
    const [one, two, three] = [enter(), enter(), enter()]
    for (const { members } of [one, two, three]) await until(() => members.size === 3, "three members")
    expect(new Set(one.members)).toEqual(new Set(server.hub.connections.keys()))
    await two.client.close()
    for (const { members } of [one, three]) await until(() => members.size === 2, "two members")
    const [gone] = server.hub.connections.values()
    gone?.terminate()
    // its client comes back as somebody new, and is told who is there
    await until(
      () => server.hub.size === 2 && [one, three].every(({ members }) => members.size === 2),
      "two again",
    )
    await until(() => [...server.hub.connections.keys()].every((id) => one.members.has(id)), "the new one")
    expect([...one.members].sort()).toEqual([...server.hub.connections.keys()].sort())
  })
})
