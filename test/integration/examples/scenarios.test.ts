import { describe, expect, it } from "vitest"
import { type Program, startProgram } from "../../support/demo-process.js"
import { connect } from "../../support/ws-server.js"

/** The lines of a program that has ended well, less the one that says what to try. */
async function linesOf(program: Program): Promise<string[]> {
  const { code, stdout, stderr } = await program.exited(25_000)
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  expect(stdout).toMatch(/npx wscat -c ws:\/\/127\.0\.0\.1:\d+/)
  return stdout.split("\n").filter((line) => line !== "" && !line.includes("npx wscat"))
}

describe("examples/slow-reader", () => {
  it("tells a reader that stopped how many it lost, and the other one loses none", async () => {
    const [quick, hub, told, slow, count] = await linesOf(startProgram("slow-reader/main.ts"))
    expect(quick).toMatch(/has got 2000 of 2000, and lost 0$/)
    expect(hub).toMatch(/no more than 65,536 bytes/)
    const lost = Number(/is told that it lost (\d+)$/.exec(told ?? "")?.[1])
    expect(lost).toBeGreaterThan(0)
    expect(slow).toMatch(new RegExp(`has got ${2_000 - lost} and lost ${lost}, which makes 2000$`))
    expect(count).toMatch(/counted the same loss$/)
  })
})

describe("examples/slow-reader/policies.ts", () => {
  it("shows what a reader who stopped gets by each policy, and two senders who mind", async () => {
    const { code, stdout, stderr } = await startProgram("slow-reader/policies.ts").exited(25_000)
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    /** What the reader got under this name, and what the sender was told before. */
    const found = (name: string, pattern: string) => {
      const match = new RegExp(`^  (.+)\\n${name}: the reader has got ${pattern}$`, "m").exec(stdout)
      return { told: match?.[1], last: Number(match?.[2]) }
    }
    const close = found("close", "1 to (\\d+) without a gap; closed with 1013")
    expect(close.told).toMatch(/1 dropped, \d+ closed$/)
    const newest = found("drop-newest", "1 to (\\d+) without a gap; closed with 1000")
    expect(newest.told).toMatch(new RegExp(`${400 - newest.last} dropped$`))
    const oldest = found("drop-oldest", "1 to (\\d+), then \\d+ to 400; closed with 1000")
    expect(oldest.last).toBeLessThan(400)
    expect(found("latest", "1 to (\\d+), then 400 to 400; closed with 1000").last).toBeLessThan(399)
    expect(stdout).toMatch(/^a patient sender: the reader has got 1 to 400 without a gap; closed with 1000$/m)
    expect(found("a busy sender", "1 to (\\d+) without a gap; closed with 1000").told).toMatch(/gives up/)
  })
})

describe("examples/reconnect", () => {
  it("says what became of each message, and sends what waited once and in order", async () => {
    const lines = await linesOf(startProgram("reconnect/main.ts"))
    const words = (line: string) => line.replace(/^\w+: +/, "")
    const steps = lines.filter((line) => !line.includes("->"))
    expect(steps.map(words)).toEqual([
      "one is sent",
      "got one",
      "two is queued",
      "three is queued",
      "four is queued",
      "two is dropped: queue-full",
      "five is queued",
      "a cursor is dropped: volatile",
      "got three",
      "got four",
      "got five",
      "0 wait",
      "ended, because it was closed",
    ])
    expect(lines.at(1)).toMatch(/connecting -> open$/)
    expect(lines.filter((line) => line.endsWith("connecting -> open, again"))).toHaveLength(1)
  })
})

describe("examples/heartbeat", () => {
  it("cuts the peer that has died, and not the one that answers, with both pairs", async () => {
    const lines = await linesOf(startProgram("heartbeat/main.ts", ["--speed", "30"]))
    for (const pair of ["5 s / 10 s", "15 s / 45 s"]) {
      const [asked, cut, left, ...more] = lines.filter((line) => line.startsWith(pair))
      expect(asked).toMatch(/the dead one is asked/)
      expect(cut).toMatch(/it is cut after \d+ s: 1006, by heartbeat$/)
      expect(left).toMatch(/1 is left, whose last answer took [\d.]+ ms$/)
      expect(more).toEqual([])
    }
  })

  it("takes a pair of one's own", async () => {
    const args = ["--interval", "1", "--timeout", "2", "--speed", "20"]
    const lines = await linesOf(startProgram("heartbeat/main.ts", args))
    expect(lines.map((line) => line.slice(0, 10))).toEqual(Array(3).fill("1 s / 2 s:"))
  })
})

describe("examples/echo", () => {
  it("echoes text, JSON and bytes, and answers what it cannot read", async () => {
    const program = startProgram("echo/main.ts", [], { PORT: "0" })
    const [, textUrl = ""] = await program.line(/^text: .*-c (\S+) /)
    const [, jsonUrl = ""] = await program.line(/^json: .*-c (\S+) /)
    const [, binaryUrl = ""] = await program.line(/^binary: +(\S+) /)

    const text = await connect(textUrl)
    text.send("grüße")
    expect(await text.take(2)).toEqual(["welcome: whatever you type comes back", "grüße"])
    await program.line(/^text: 5 characters are sent back$/)

    const json = await connect(jsonUrl)
    const next = async () => JSON.parse(String(await json.next()))
    expect(await next()).toEqual({ type: "welcome", id: expect.any(String) })
    json.send('{"type":"echo","value":[1,{"a":null}]}')
    expect(await next()).toEqual({ type: "echo", value: [1, { a: null }] })
    json.send('{"type":"echo"')
    expect(await next()).toMatchObject({ type: "error", code: "BAD_JSON" })
    json.send('{"type":"sing"}')
    expect(await next()).toMatchObject({ type: "error", code: "UNKNOWN_TYPE" })
    json.send('{"type":"time"}')
    expect(Date.parse((await next()).now)).toBeGreaterThan(0)
    await program.line(/^json: decode: /)

    const binary = await connect(binaryUrl)
    binary.send(Buffer.from([0, 255, 7]))
    expect(await binary.next()).toEqual(Buffer.from([0, 255, 7]))

    await text.close(1000)
    await program.line(/^text: closed with 1000 by peer$/)
    program.signal("SIGTERM")
    for (const client of [json, binary]) expect((await client.closed()).code).toBe(1001)
    expect(await program.exited()).toMatchObject({ code: 0, stderr: "" })
  })
})

describe("examples/limits", () => {
  it("stops a stranger's page, a third connection, a talker and a flood, and nobody else", async () => {
    expect(await linesOf(startProgram("limits/main.ts"))).toEqual([
      "server: refused, 403 origin: origin https://evil.example",
      "evil.example: 403",
      "app.example: let in",
      "a talker gets: 1, 2, 3, 4, 5, RATE_LIMITED, RATE_LIMITED",
      "server: refused, 429 limits: perAddress",
      "a third: 429, come back in some seconds",
      "a flood of 300: 300 are answered, none is lost; reading was paused",
    ])
  })
})
