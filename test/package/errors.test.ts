/** The codes in docs/errors.md: those that there are in the sources, each with what happened, why that is an error, what to do. */

import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as holdfast from "holdfast"
import { describe, expect, it } from "vitest"
import * as jwt from "../../src/auth/jwt.js"

const root = fileURLToPath(new URL("../..", import.meta.url))
const read = (file: string) => readFileSync(`${root}${file}`, "utf8")
const page = read("docs/errors.md")
const sources = readdirSync(`${root}src`, { recursive: true, encoding: "utf8" })
  .filter((it) => it.endsWith(".ts"))
  .map((it) => read(`src/${it}`))

/** The entries of the page: a heading that is a code, its class, and three points. */
const entries = page
  .split(/^(?=#{2,3} )/m)
  .map((text) => ({ code: /^### ([A-Z_]+)\n/.exec(text)?.[1] ?? "", text }))
  .filter((it) => it.code !== "")

/** The members of a union of strings in the sources. */
function membersOf(union: string): string[] {
  const [, members = ""] =
    new RegExp(`export type ${union} =([^\\n]*(?:\\n {2}\\|[^\\n]*)*)`).exec(read("src/core/errors.ts")) ?? []
  return [...members.matchAll(/"(\w+)"/g)].map(([, it = ""]) => it)
}

describe("docs/errors.md", () => {
  it("has every code of the sources once, and no other", () => {
    const codes = membersOf("ErrorCode")
    expect(codes.length).toBeGreaterThan(20)
    expect(entries.map((it) => it.code).toSorted()).toEqual(codes.toSorted())
  })

  it("has each of them in its overview", () => {
    const overview = [...page.matchAll(/\[`([A-Z_]+)`\]\(#([a-z_]+)\)/g)]
    expect(overview.map(([, code]) => code)).toEqual(entries.map((it) => it.code))
    for (const [, code = "", anchor] of overview) expect(anchor).toBe(code.toLowerCase())
  })

  it.each(entries)("says of $code what happened, why that is an error, and what to do", ({ code, text }) => {
    const points = [...text.matchAll(/^- \*\*([^*]+):\*\* (.+)$/gm)]
    expect(points.map(([, point]) => point)).toEqual(["What happened", "Why it is an error", "What to do"])
    for (const [, point, words = ""] of points) expect(words.length, `${code}: ${point}`).toBeGreaterThan(5)
  })

  it.each(entries)("names the class of $code, which is exported and can have that code", ({ code, text }) => {
    const [, name = ""] = /^`(\w+)`/m.exec(text) ?? []
    expect({ ...holdfast, ...jwt }).toHaveProperty(name)
    const makes = sources.some((it) =>
      new RegExp(`class ${name} [\\s\\S]*"${code}"|new ${name}\\(\\s*"${code}"`).test(it),
    )
    const isNamed = sources.some((it) => it.includes(`new ${name}(`) && it.includes(`"${code}"`))
    expect(makes || isNamed, `${name} with ${code}`).toBe(true)
  })

  it("names every stage that an error event can have", () => {
    const stages = new Set(
      sources.flatMap((it) => [...it.matchAll(/stage: "(\w+)"/g)].map(([, stage = ""]) => stage)),
    )
    expect(stages.size).toBeGreaterThan(5)
    const [sentence = ""] = /whose `stage` says[\s\S]*?\. /.exec(page) ?? []
    expect([...stages].filter((it) => !sentence.includes(`\`${it}\``))).toEqual([])
  })
})
