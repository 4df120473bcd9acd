import { describe, expect, it } from "vitest"
import { allSnippets, checkSnippets, snippetsOf } from "../../scripts/snippets.js"

describe("snippets of the documentation", () => {
  // hundreds of modules, with the types of every framework in them
  it("compile, every one of them", { timeout: 240_000 }, () => {
    const snippets = allSnippets()
    expect(snippets.length).toBeGreaterThan(20)
    expect(checkSnippets(snippets)).toEqual([])
  })

  it("are reported by page and line when they do not compile", () => {
    const page = [
      "# Title",
      "",
      "```ts",
      'import { createHub } from "holdfast"',
      "createHub({ codec: 7 })",
      "```",
      "",
    ]
    const errors = checkSnippets(snippetsOf("docs/page.md", page.join("\n")))
    expect(errors).toHaveLength(1)
    expect(errors[0]).toMatch(/^docs\/page\.md:5 .*number/)
  })

  it("may take declarations as given", () => {
    const page = [
      "<!-- given: declare const answer: number -->",
      "```ts",
      "const twice = answer * 2",
      "```",
      "",
    ]
    expect(checkSnippets(snippetsOf("docs/page.md", page.join("\n")))).toEqual([])
  })
})
