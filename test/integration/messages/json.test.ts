import { json } from "holdfast"
import { describe, expect, it } from "vitest"
import { dial } from "../../support/client-servers.js"
import { until } from "../../support/deadline.js"
import { startHub } from "../../support/hub-server.js"
import { startServer } from "../../support/ws-server.js"

const REFUSED = [
  ['{"__proto__":{"isAdmin":true}}', "it has a key __proto__"],
  ['{"constructor":{"prototype":{"isAdmin":true}}}', "it has a key constructor"],
  ["[".repeat(10_000) + "]".repeat(10_000), "it is too deep"],
] as const

describe("T2: JSON that is a danger", () => {
  it("is an error event of the hub; the connection lives on, and the peer is told what onDecodeError says", async () => {
    await using server = await startHub({ onDecodeError: ({ code }) => ({ type: "error", code }) })
    const causes: unknown[] = []
    const heard: unknown[] = []
    server.hub.on("error", ({ error, stage }) =>
      causes.push([stage, ((error as Error).cause as Error).message]),
    )
    server.hub.on("message", ({ data }) => heard.push(data))
    const { client } = await server.connect()
    for (const [frame] of REFUSED) client.send(frame)
    client.send('{"fine":1}')
    for (const _ of REFUSED) expect(await client.next()).toBe('{"type":"error","code":"DECODE_FAILED"}')
    await until(() => heard.length > 0, "the message after them")
    expect(heard).toEqual([{ fine: 1 }])
    expect(causes).toEqual(REFUSED.map(([, reason]) => ["decode", reason]))
  })

  it("is an error event of the client; it stays connected", async () => {
    const server = await startServer()
    const { client, log } = dial<unknown, unknown>(server.url, { codec: json() })
    const { socket } = await server.accepted()
    for (const [frame] of REFUSED) socket.send(frame)
    socket.send('{"fine":1}')
    await until(() => log.messages.length > 0, "the message after them")
    expect(log.messages).toEqual([{ fine: 1 }])
    expect(log.errors.map(({ stage, error }) => [stage, ((error as Error).cause as Error).message])).toEqual(
      REFUSED.map(([, reason]) => ["decode", reason]),
    )
    expect([client.state, log.states]).toEqual(["open", ["connecting", "open"]])
  })
})
