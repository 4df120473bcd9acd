/**
 * Links of Markdown pages, and of the site that is made of them: what they point to inside this repository must be there, headings
 * included. Knows nothing of other sites; nothing is fetched.
 */

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join, relative } from "node:path"

/** A link that leads nowhere: the page, the link, and what is not there. */
export interface BrokenLink {
  readonly page: string
  readonly link: string
  readonly problem: string
}

/** The Markdown pages below a folder, as paths from it; folders that are installed or made are left out. */
export function markdownPages(root: string): string[] {
  const skipped = /(^|\/)(node_modules|dist|coverage|site|\.\w+)(\/|$)/
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .map((it) => it.replaceAll("\\", "/"))
    .filter((it) => it.endsWith(".md") && !skipped.test(dirname(it)))
    .sort()
}

/** What is wrong with the links of one page, whose path is from the root. */
export function brokenLinks(root: string, page: string): BrokenLink[] {
  const links = linksOf(readFileSync(join(root, page), "utf8"))
  return links.flatMap((link) => {
    const problem = problemOf(root, page, link)
    return problem === undefined ? [] : [{ page, link, problem }]
  })
}

/** The targets of the links and images of a page: Markdown's own, and those of HTML in it. What is code is no link. */
export function linksOf(markdown: string): string[] {
  const prose = markdown.replaceAll(/^(```|~~~)[\s\S]*?^\1$/gm, "").replaceAll(/`[^`\n]*`/g, "")
  const found = [...prose.matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"|^\[[^\]]+\]:\s*(\S+)/gm)]
  return found.map(([, inline, html, reference]) => inline ?? html ?? reference ?? "")
}

/** The anchors of a page: its headings as GitHub names them, the second of a name with `-1` behind it. */
export function anchorsOf(markdown: string): Set<string> {
  const prose = markdown.replaceAll(/^(```|~~~)[\s\S]*?^\1$/gm, "")
  const counts = new Map<string, number>()
  const anchors = new Set<string>()
  for (const [, title = ""] of prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = slugOf(title)
    const count = counts.get(slug) ?? 0
    counts.set(slug, count + 1)
    anchors.add(count === 0 ? slug : `${slug}-${count}`)
  }
  return anchors
}

function slugOf(title: string): string {
  const text = title.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").replaceAll(/[`*]/g, "")
  return text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, "")
    .trim()
    .replaceAll(/\s/g, "-")
}

function problemOf(root: string, page: string, link: string): string | undefined {
  if (/^https:\/\//.test(link)) return undefined
  if (/^[a-z]+:/i.test(link)) return "neither https nor a path"
  const [path = "", anchor] = decodeURI(link).split("#")
  const file = path === "" ? join(root, page) : join(root, dirname(page), path)
  if (relative(root, file).startsWith("..")) return "outside of the repository"
  if (!existsSync(file)) return "no such file"
  if (statSync(file).isDirectory()) return "a folder: name its page"
  if (anchor === undefined) return undefined
  if (!file.endsWith(".md")) return "an anchor in what is no page"
  return anchorsOf(readFileSync(file, "utf8")).has(anchor) ? undefined : "no such heading"
}

/** What is wrong with the links of a site in a folder. */
export function brokenSiteLinks(site: string): BrokenLink[] {
  const names = readdirSync(site, { recursive: true, encoding: "utf8" }).map((it) => it.replaceAll("\\", "/"))
  const files = new Set(names)
  const pages = names.filter((it) => it.endsWith(".html"))
  const texts = new Map(pages.map((it) => [it, readFileSync(join(site, it), "utf8")]))
  const marked = names.filter((it) => /\.(html|svg)$/.test(it))
  const ids = new Map(marked.map((it) => [it, idsOf(texts.get(it) ?? readFileSync(join(site, it), "utf8"))]))
  return [...texts].flatMap(([page, html]) =>
    targetsOf(html).flatMap((link) => {
      const problem = siteProblemOf(page, link, files, ids)
      return problem === undefined ? [] : [{ page, link, problem }]
    }),
  )
}

function siteProblemOf(
  page: string,
  link: string,
  files: ReadonlySet<string>,
  ids: ReadonlyMap<string, ReadonlySet<string>>,
): string | undefined {
  if (/^(https:|data:|#?$)/.test(link)) return undefined
  if (/^[a-z]+:/i.test(link)) return "neither https nor a path"
  const [path = "", anchor = ""] = decodeURIComponent(link).split("#")
  const file = path === "" ? page : join(dirname(page), path).replaceAll("\\", "/")
  const target = files.has(file) && file.includes(".") ? file : join(file, "index.html").replaceAll("\\", "/")
  if (!files.has(target)) return "no such file"
  if (target.endsWith(".md")) return "a page that is not part of the site"
  if (anchor === "") return undefined
  return ids.get(target)?.has(anchor) ? undefined : "no such anchor"
}

function targetsOf(html: string): string[] {
  return [...html.matchAll(/<[^>]*?\s(?:href|src)="([^"]*)"/g)].map(([, link = ""]) =>
    link.replaceAll("&amp;", "&"),
  )
}

function idsOf(html: string): Set<string> {
  return new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id = ""]) => id))
}
