import { createRouter, type HubConnection, json, type ReconnectingClient } from "holdfast"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { dial } from "../../support/client-servers.js"
import { until } from "../../support/deadline.js"
import { startHub } from "../../support/hub-server.js"

type FromClient = { type: "join"; room: string } | { type: "say"; text: string }
type FromServer =
  | { type: "joined"; room: string; members: number }
  | { type: "said"; text: string }
  | { type: "error"; code: string; message: string }

const Say = z.object({ type: z.literal("say"), text: z.string().max(20) })

describe("T4: routers on both sides of real sockets", () => {
  async function start() {
    const server = await startHub<FromClient, FromServer>()
    createRouter<FromClient, HubConnection<FromClient, FromServer>>()
      .on("join", async ({ message, peer }) => {
        await peer.join(message.room)
        server.hub.to(message.room).send({
          type: "joined",
          room: message.room,
          members: server.hub.members(message.room).size,
        })
      })
      .on("say", Say, ({ message, peer }) => {
        for (const room of peer.rooms) server.hub.to(room).send({ type: "said", text: message.text })
      })
      .mount(server.hub)
    return server
  }

  function join(url: string) {
    const { client, log } = dial<FromServer, FromClient>(url, { codec: json() })
    const news: string[] = []
    createRouter<FromServer, ReconnectingClient<FromServer, FromClient>>()
      .on("joined", ({ message, peer }) => {
        news.push(`joined ${message.room} of ${message.members}`)
        if (message.members === 1) peer.send({ type: "say", text: "is anybody here?" })
      })
      .on("said", ({ message }) => news.push(`said ${message.text}`))
      .on("error", ({ message }) => news.push(`error ${message.code}`))
      .mount(client)
    return { client, log, news }
  }

  it("speak with one another, each message narrowed by its type", async () => {
    await using server = await start()
    const [ada, bob] = [join(server.url), join(server.url)]
    ada.client.send({ type: "join", room: "lobby" })
    await until(() => ada.news.length === 2, "the news of Ada")
    bob.client.send({ type: "join", room: "lobby" })
    // the join is done before the next message is looked at
    bob.client.send({ type: "say", text: "I am" })
    await until(() => ada.news.length === 4 && bob.news.length === 2, "the news of Bob")
    expect(ada.news).toEqual(["joined lobby of 1", "said is anybody here?", "joined lobby of 2", "said I am"])
    expect(bob.news).toEqual(["joined lobby of 2", "said I am"])
  })

  it("survive what peers send: neither side ends, and nobody answers refusals for ever", async () => {
    await using server = await start()
    const { client, news, log } = join(server.url)
    for (const bad of [
      { type: "sing" },
      { type: "say", text: "x".repeat(21) },
      [],
      null,
      { type: "error" },
      {},
    ]) {
      client.send(bad as never)
    }
    client.send({ type: "join", room: "lobby" })
    await until(() => news.length === 7, "the refusals and the news")
    expect(news).toEqual([
      ...["UNKNOWN_TYPE", "INVALID_MESSAGE", "UNKNOWN_TYPE", "UNKNOWN_TYPE", "UNKNOWN_TYPE"].map(
        (it) => `error ${it}`,
      ),
      "joined lobby of 1",
      "said is anybody here?",
    ])
    for (const { connection } of [...server.hub.connections.values()].map((connection) => ({ connection }))) {
      connection.send({ type: "sing" } as never)
    }
    client.send({ type: "say", text: "still here" })
    await until(() => news.includes("said still here"), "the last word")
    await until(() => log.messages.some((it) => (it.type as string) === "sing"), "the odd message")
    expect(news.at(-1)).toBe("said still here")
    expect(news).toHaveLength(8)
    expect(client.state).toBe("open")
  })
})
