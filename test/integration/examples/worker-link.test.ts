import { describe, expect, it } from "vitest"
import { startProgram } from "../../support/demo-process.js"

describe("examples/worker-link", () => {
  it("has every job done, although a worker is killed and the line of another is cut", async () => {
    const { code, stdout, stderr } = await startProgram("worker-link/main.ts").exited(25_000)
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(stdout).toMatch(
      /^one more worker: WORKER_SECRET=\w+ npx tsx examples\/worker-link\/worker\.ts ws:/,
    )
    for (let job = 1; job <= 12; job += 1) {
      expect(
        stdout.match(new RegExp(`^foreman: job ${job} is done by \\w+: [0-9a-f]{16}$`, "gm")),
      ).toHaveLength(1)
    }
    expect(stdout).toMatch(/^foreman: 12 of 12 jobs are done$/m)
    const lost = stdout.match(/^foreman: \w+ was lost with job \d+/gm) ?? []
    expect(lost.map((line) => line.replace(/^.* with /, "")).sort()).toEqual(["job 4", "job 7"])
    const [, cut] = /^foreman: (\w+) was lost with job 7/m.exec(stdout) ?? []
    expect(stdout).toMatch(new RegExp(`^${cut}: is back$`, "m"))
    expect(stdout.match(/^\w+: ends, close-code 1001$/gm)).toHaveLength(2)
  })
})
