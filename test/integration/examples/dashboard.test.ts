import { describe, expect, it, onTestFinished } from "vitest"
import { type Dashboard, startDashboard } from "../../../examples/dashboard/dashboard-server.js"
import type { FromServer, Sample } from "../../../examples/dashboard/protocol.js"
import { socketPair } from "../../../src/testing/socket-pair.js"
import { until } from "../../support/deadline.js"
import { request } from "../../support/http-request.js"
import { connect } from "../../support/ws-server.js"

async function start(): Promise<Dashboard> {
  const dashboard = await startDashboard()
  onTestFinished(() => dashboard[Symbol.asyncDispose]())
  return dashboard
}

const parse = (data: unknown) => JSON.parse(String(data)) as FromServer

/** The numbers of what is told, the history's last one first. */
function numbers(messages: readonly FromServer[]): number[] {
  return messages.map((it) => (it.type === "history" ? (it.samples.at(-1) as Sample).n : it.sample.n))
}

describe("examples/dashboard", () => {
  it("tells a minute of what was, and then every value", async () => {
    const dashboard = await start()
    const client = await connect(`${dashboard.url.replace("http", "ws")}/ws`)
    const messages = (await client.take(12)).map(parse)
    expect(messages[0]).toMatchObject({ type: "history", samples: { length: 1_200 } })
    const [first = 0, ...rest] = numbers(messages)
    expect(rest).toEqual(rest.map((_, index) => first + index + 1))
  })

  it("keeps only the newest value for a reader who is behind", async () => {
    const { hub } = await start()
    const [server, client] = socketPair()
    const messages: FromServer[] = []
    client.addEventListener("message", (event) => messages.push(parse((event as MessageEvent).data)))
    server.stall()
    const connection = hub.add(server)
    // the history fills the socket, and the values wait
    await until(() => connection.messagesOut >= 12, "some values")
    server.unstall()
    await until(() => messages.length >= 3, "what waited")
    const [history = 0, newest = 0, next] = numbers(messages)
    expect(newest).toBeGreaterThan(history + 5)
    expect(next).toBe(newest + 1)
    expect(connection.state).toBe("open")
  })

  it("hands out its page and nothing else", async () => {
    const { url } = await start()
    for (const path of ["/", "/page.js", "/style.css", "/icon.svg"]) {
      expect((await request(url + path)).status).toBe(200)
    }
    expect((await request(`${url}/../package.json`)).status).toBe(404)
    expect((await request(url, "POST")).status).toBe(405)
  })
})
