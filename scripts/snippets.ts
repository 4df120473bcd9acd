/**
 * The TypeScript of the documentation, as files that a compiler can check. Knows Markdown fences and nothing of
 * what the snippets mean.
 */

import { readdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const root = fileURLToPath(new URL("..", import.meta.url))

/** One fenced block of TypeScript. */
export interface Snippet {
  /** The file it stands in, from the repository's root. */
  readonly file: string
  /** The line of its first line of code, from 1. */
  readonly line: number
  /** What is checked: the block, behind what a comment before it declares as given. */
  readonly code: string
  /** Whether there may be elements in it. */
  readonly isJsx: boolean
}

/** A block, and the comment that may stand right before it: `<!-- given: declare const app: App -->`. */
const BLOCK = /(?:<!-- given:\s*([\s\S]*?)-->\s*)?^```(tsx?)\n([\s\S]*?)^```$/gm

/** The snippets of one page. */
export function snippetsOf(file: string, markdown: string): Snippet[] {
  return [...markdown.matchAll(BLOCK)].map((match) => {
    const [whole, given = "", language = "", block = ""] = match
    const line = markdown.slice(0, match.index + whole.indexOf("```ts")).split("\n").length + 1
    // joined in one line, so that line numbers of errors are those of the page
    const prelude = given.trim().replaceAll("\n", " ")
    return {
      file,
      line,
      code: `${prelude}${prelude ? "; " : ""}export {}; ${block}`,
      isJsx: language === "tsx",
    }
  })
}

/** The snippets of the README, of every page in `docs`, and of the examples' own pages. */
export function allSnippets(): Snippet[] {
  const pages = ["README.md", ...markdownIn("docs"), ...markdownIn("examples")]
  return pages.flatMap((file) => snippetsOf(file, readFileSync(join(root, file), "utf8")))
}

/** Type-checks snippets as modules of this repository. Returns one line per error: page, line, message. */
export function checkSnippets(snippets: readonly Snippet[]): string[] {
  const files = new Map(
    snippets.map((it, index) => [join(root, `snippet-${index}.ts${it.isJsx ? "x" : ""}`), it]),
  )
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile).config,
    ts.sys,
    root,
  )
  const unchecked = { noUnusedLocals: false, noUnusedParameters: false, jsx: ts.JsxEmit.ReactJSX }
  const host = ts.createCompilerHost({ ...options, ...unchecked })
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (name) => files.has(name) || fileExists(name)
  host.readFile = (name) => files.get(name)?.code ?? readFile(name)
  host.getSourceFile = (name, ...rest) => {
    const snippet = files.get(name)
    return snippet
      ? ts.createSourceFile(name, snippet.code, ts.ScriptTarget.ES2022, true)
      : getSourceFile(name, ...rest)
  }
  const program = ts.createProgram([...files.keys()], { ...options, ...unchecked }, host)
  return [...files].flatMap(([name, snippet]) => {
    const source = program.getSourceFile(name)
    return ts.getPreEmitDiagnostics(program, source).map((it) => describe(it, snippet))
  })
}

function describe({ file, start = 0, messageText }: ts.Diagnostic, snippet: Snippet): string {
  const line = snippet.line + (file ? file.getLineAndCharacterOfPosition(start).line : 0)
  return `${snippet.file}:${line} ${ts.flattenDiagnosticMessageText(messageText, " ")}`
}

function markdownIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((it) => it.endsWith(".md") && !dirname(it).startsWith("site"))
    .map((it) => `${folder}/${it}`)
    .sort()
}
