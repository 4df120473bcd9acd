import { describe, expect, it } from "vitest"
import { startProgram } from "../../support/demo-process.js"

describe("npm run demo:pool", () => {
  it("counts every text right, through three connections at a time, across a crash", async () => {
    const { code, stdout, stderr } = await startProgram("pool/main.ts").exited()
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    expect(stdout).toContain("12 texts, all right; never more than 3 connections at a time\n")
    expect(stdout.match(/^text \d+ has \d+ words, says desk \d+; \d+ wait$/gm)).toHaveLength(12)
    // three before the crash, three after it
    expect(stdout.match(/^a connection was opened/gm)).toHaveLength(6)
    expect(stdout.match(/^a connection ended with 1006/gm)).toHaveLength(3)
  })
})
