import { readFileSync } from "node:fs"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { anchorsOf, brokenLinks, brokenSiteLinks, linksOf, markdownPages } from "../../scripts/links.js"
import { PAGES } from "../../scripts/site-plugin.mjs"

const root = fileURLToPath(new URL("../..", import.meta.url))
const pages = markdownPages(root)
const onSite = ["README.md", ...[...PAGES.values()].flat()]

describe("the pages", () => {
  it("are all part of the site, each once, and there", () => {
    expect(pages.length).toBeGreaterThan(25)
    expect(onSite.toSorted()).toEqual(pages)
  })

  it.each(pages)("%s has only links that lead somewhere", (page) => {
    expect(brokenLinks(root, page)).toEqual([])
  })

  it("are all reached from the README, over at most two other pages", () => {
    const reached = new Set(["README.md"])
    for (let step = 0; step < 3; step += 1)
      for (const page of [...reached]) for (const it of targets(page)) reached.add(it)
    expect(pages.filter((it) => !reached.has(it))).toEqual([])
  })
})

/** The pages that a page links to. */
function targets(page: string): string[] {
  const folder = new URL(page, "file:///")
  const paths = linksOf(readFileSync(root + page, "utf8")).map((it) => new URL(it, folder).pathname.slice(1))
  return paths.filter((it) => pages.includes(it))
}

describe("the check of links", () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "holdfast-links-"))
    await mkdir(join(folder, "docs"))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each([
    ["[a](docs/missing.md)", "no such file"],
    ["[a](docs)", "a folder: name its page"],
    ["[a](#nothing)", "no such heading"],
    ["[a](other.md#nothing)", "no such heading"],
    ["[a](other.json#nothing)", "an anchor in what is no page"],
    ["![a](picture.svg)", "no such file"],
    ['<img src="picture.svg">', "no such file"],
    ["[a](../../outside.md)", "outside of the repository"],
    ["[a](http://plain.example)", "neither https nor a path"],
  ])("finds that %s leads nowhere: %s", async (link, problem) => {
    await writeFile(join(folder, "other.md"), "# Other\n\n## A part\n")
    await writeFile(join(folder, "other.json"), "{}")
    await writeFile(join(folder, "page.md"), `# Page\n\n${link}\n`)
    expect(brokenLinks(folder, "page.md").map((it) => it.problem)).toEqual([problem])
  })

  it("passes what leads somewhere, and what is code", async () => {
    const links = [
      "[a](other.md#a-part)",
      "[b](#page)",
      "[c](https://a.example/x#y)",
      "`[d](nowhere)`",
      "```\n[e](nowhere)\n```",
    ]
    await writeFile(join(folder, "page.md"), `# Page\n\n${links.join("\n")}\n`)
    expect(brokenLinks(folder, "page.md")).toEqual([])
  })

  it("knows headings by the names they are given in an address", () => {
    const headings = [
      "# `Code` and *more*",
      "## Twice",
      "## Twice",
      "### JSON-RPC 2.0",
      "## A [link](x.md), too",
    ]
    expect([...anchorsOf(headings.join("\n\n"))]).toEqual([
      "code-and-more",
      "twice",
      "twice-1",
      "json-rpc-20",
      "a-link-too",
    ])
  })

  it("finds on a site what is not there: a page, an anchor, a picture, a page that was left out", async () => {
    const site = join(folder, "site")
    await mkdir(join(site, "sub"), { recursive: true })
    await writeFile(
      join(site, "index.html"),
      '<h1 id="top">x</h1><a href="sub/page.html#part">x</a><a href="#top">x</a>',
    )
    const broken = ["gone.html", "../index.html#gone", "picture.png", "left.md"]
    await writeFile(join(site, "sub/left.md"), "")
    const links = broken.map((it) => `<a href="${it}">x</a>`).join("")
    await writeFile(
      join(site, "sub/page.html"),
      `<p id="part">x</p><a href="../index.html#top">x</a><a href="../">x</a>${links}`,
    )
    expect(brokenSiteLinks(site).map((it) => [it.link, it.problem])).toEqual([
      ["gone.html", "no such file"],
      ["../index.html#gone", "no such anchor"],
      ["picture.png", "no such file"],
      ["left.md", "a page that is not part of the site"],
    ])
  })
})
