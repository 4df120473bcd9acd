/**
 * What typedoc is told besides typedoc.json, so that reference and pages are one site: which pages there are, in reading order, and
 * what they are called. Knows nothing of how a page looks.
 */

import { existsSync, readdirSync, renameSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { Application, Converter, PageEvent, RendererEvent } from "typedoc"

const root = fileURLToPath(new URL("..", import.meta.url))
const docs = (...names) => names.map((it) => `docs/${it}.md`)

/** The pages by group, both in reading order. */
export const PAGES = new Map([
  [
    "Guide",
    [
      ...docs("first-server", "first-client", "server", "rooms", "backpressure", "heartbeats", "client"),
      ...docs("reconnection", "messages", "pool", "auth", "security", "scaling", "operations", "testing"),
      ...docs("migrating"),
    ],
  ],
  ["Recipes", readmeFirst("docs/recipes")],
  ["Examples", foldersIn("examples")],
  ["To look up", docs("errors", "protocol", "runtimes", "weight", "promises")],
  ["Why it is so", docs("architecture", "decisions", "performance")],
  ["The project", ["CHANGELOG.md", "UPGRADING.md", "CONTRIBUTING.md", "SECURITY.md"]],
])

/** @param {Application} app */
export function load(app) {
  const groups = new Map([...PAGES].flatMap(([group, files]) => files.map((file) => [file, group])))
  app.on(Application.EVENT_BOOTSTRAP_END, () => {
    app.options.setValue("projectDocuments", [...groups.keys()])
    app.options.setValue("groupOrder", [...PAGES.keys(), "Modules", "*"])
  })
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, page) => {
    const file = relative(root, app.files.getReflectionPath(page) ?? "").replaceAll("\\", "/")
    page.frontmatter.group ??= groups.get(file)
    takeTitle(page)
  })
  app.renderer.on(PageEvent.END, (page) => {
    page.contents = page.contents?.replaceAll(/(href="[^"]*media\/[^"]+\.ts)(?=["#])/g, "$1.txt")
  })
  app.renderer.on(RendererEvent.END, ({ outputDirectory }) => showSources(join(outputDirectory, "media")))
}

/** Sources that pages link to are shown by browsers only as text: by name they would be videos. */
function showSources(folder) {
  const sources = readdirSync(folder).filter((it) => it.endsWith(".ts"))
  for (const it of sources) renameSync(join(folder, it), join(folder, `${it}.txt`))
}

/** The first heading is the page's name. It may consist of several parts, of which some are code. */
function takeTitle(page) {
  let line = ""
  for (let isWhole = false; !isWhole && page.content.length > 0; ) {
    const [part] = page.content
    const [text, ...others] = part.text.split("\n")
    line += text
    isWhole = others.length > 0
    part.text = others.join("\n").trimStart()
    if (part.text === "") page.content.shift()
  }
  if (!line.startsWith("# ")) throw new Error(`the page ${page.name} does not begin with a heading`)
  page.name = line.slice(2).replaceAll("`", "")
}

function readmeFirst(folder) {
  if (!existsSync(root + folder)) return []
  const names = readdirSync(root + folder).filter((it) => it.endsWith(".md"))
  return names.sort((a, b) => isReadme(b) - isReadme(a) || a.localeCompare(b)).map((it) => `${folder}/${it}`)
}

function isReadme(name) {
  return Number(name === "README.md")
}

function foldersIn(folder) {
  const pages = readdirSync(root + folder, { recursive: true, encoding: "utf8" })
  return pages
    .filter((it) => it.endsWith("README.md"))
    .sort()
    .map((it) => `${folder}/${it.replaceAll("\\", "/")}`)
}
