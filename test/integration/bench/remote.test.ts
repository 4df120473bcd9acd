import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { section } from "../../../bench/page.js"
import { CONTENDERS, remote, toRemoteTable } from "../../../bench/remote/remote.js"

const page = readFileSync(new URL("../../../docs/scaling.md", import.meta.url), "utf8")

it("A9: a remote delivery is measured with every message checked, and a node without members gets none of them", {
  timeout: 60_000,
}, async () => {
  const chosen = CONTENDERS.filter(({ carrier }) => carrier === "ioredis" || carrier === "cluster")
  const findings = await remote({ messages: 400, rounds: 1, laps: 1 }, chosen)
  for (const { cpuMicros, perSecond } of findings) {
    for (const it of [...cpuMicros, ...perSecond]) expect(it).toBeGreaterThan(0)
  }
  const [socketIo, redis, cluster] = findings.map(({ idleBytes }) => idleBytes)
  // each message is a hundred characters; the nodes' own talk is a few bytes for each of them at most
  expect(socketIo).toBeGreaterThan(100)
  expect(redis).toBeLessThan(50)
  expect(cluster).toBeUndefined()
  expect(toRemoteTable(findings).split("\n")).toHaveLength(2 + chosen.length)
})

it("each engine that is measured has its line in the documentation", () => {
  const rows = section(page, "remote").match(/^\| (socket|holdfast)[^|]*/gm)
  expect(rows?.map((it) => it.slice(2).trim())).toEqual(CONTENDERS.map(({ title }) => title))
})
