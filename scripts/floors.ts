/**
 * The rules of docs/architecture.md about who may import what, as a function of the text of the source files.
 * Knows nothing of the disk, and nothing of what the modules do.
 */

import { posix } from "node:path"
import ts from "typescript"

/** The floor of each folder of `src`. An import goes to the own folder or to a lower floor. */
const FLOORS: ReadonlyMap<string, number> = new Map([
  ["core", 0],
  ["wire", 1],
  ["hub", 2],
  ["server", 2],
  ["client", 2],
  ["messages", 2],
  ["pool", 2],
  ["relay", 2],
  ["adapters", 3],
  ["auth", 3],
  ["metrics", 3],
  ["codecs", 3],
  ["compat", 3],
  ["testing", 3],
])

/** Sideways arrows that are allowed as `import type`: they carry a contract, and nothing that runs. */
const SIDEWAYS_TYPES: ReadonlySet<string> = new Set(["server -> hub", "relay -> hub"])

/** The folders that hold code for Node alone; the root door, which browsers load, reaches none of them. */
const NODE_FOLDERS: ReadonlySet<string> = new Set(["server", "adapters", "auth", "testing"])

/** The one file that imports each foreign package. */
const FOREIGN: ReadonlyMap<string, string> = new Map([
  ["eventemitter3", "core/emitter.ts"],
  ["isomorphic-ws", "wire/socket.ts"],
  ["msgpackr", "codecs/msgpack.ts"],
  ["ws", "server/handshake.ts"],
  ["jose", "auth/token-verifier.ts"],
  ["@opentelemetry/api", "metrics/opentelemetry.ts"],
])

/** The one file that touches the clock, so that a virtual clock can drive everything else. */
const CLOCK_FILE = "core/timer.ts"

const CLOCK_CALLS: ReadonlySet<string> = new Set([
  "setTimeout",
  "setInterval",
  "setImmediate",
  "clearTimeout",
  "clearInterval",
  "clearImmediate",
  "queueMicrotask",
  "performance.now",
  "Date.now",
])

/** Something a file does that the rules forbid. */
export interface Violation {
  /** The file, as a path from `src`. */
  readonly from: string
  /** What it reaches: a file, a package, a function of the clock, or (in a door) a forbidden statement. */
  readonly to: string
  /** The rule, in a few words. */
  readonly rule: string
}

/**
 * Checks source files against the rules.
 *
 * @param files - The text of each file, by its path from `src` with forward slashes.
 * @returns The violations in the order of the files; empty when all is well.
 */
export function findViolations(files: ReadonlyMap<string, string>): Violation[] {
  return [...files].flatMap(([from, text]) => {
    const source = ts.createSourceFile(from, text, ts.ScriptTarget.Latest, true)
    return [
      ...importViolations(from, source),
      ...doorViolations(from, source),
      ...clockViolations(from, source),
    ]
  })
}

/** A violation as one line: the arrow, then the rule it breaks. */
export function formatViolation({ from, to, rule }: Violation): string {
  return `${from} -> ${to}  (${rule})`
}

function importViolations(from: string, source: ts.SourceFile): Violation[] {
  return importsOf(source).flatMap(({ specifier, isTypeOnly }) => {
    const to = specifier.startsWith(".") ? resolve(from, specifier) : specifier
    const rule = specifier.startsWith(".") ? brokenFloor(from, to, isTypeOnly) : brokenBorder(from, specifier)
    return rule ? [{ from, to, rule }] : []
  })
}

function brokenFloor(from: string, to: string, isTypeOnly: boolean): string | undefined {
  const [here, there] = [folderOf(from), folderOf(to)]
  if (there === undefined) return "only users enter through a door"
  if (here === undefined) {
    return from === "index.ts" && NODE_FOLDERS.has(there)
      ? `the root door does not reach ${there}/`
      : undefined
  }
  if (here === there) return undefined
  const [low, high] = [FLOORS.get(there), FLOORS.get(here)]
  if (high === undefined) return `${here}/ has no floor`
  if (low === undefined) return `${there}/ has no floor`
  if (low < high) return undefined
  if (low > high) return `up, from floor ${high} to ${low}`
  return isTypeOnly && SIDEWAYS_TYPES.has(`${here} -> ${there}`) ? undefined : `sideways on floor ${high}`
}

function brokenBorder(from: string, specifier: string): string | undefined {
  if (specifier.startsWith("node:")) {
    return NODE_FOLDERS.has(folderOf(from) ?? "")
      ? undefined
      : `only ${[...NODE_FOLDERS].join(", ")} use Node's modules`
  }
  const owner = FOREIGN.get(specifier)
  if (owner === undefined) return "not a dependency"
  return owner === from ? undefined : `only ${owner} imports it`
}

function doorViolations(from: string, source: ts.SourceFile): Violation[] {
  if (folderOf(from) !== undefined) return []
  return source.statements
    .filter((statement) => !isNamedReExport(statement))
    .map((statement) => ({
      from,
      to: statement.getText().split("\n", 1)[0] ?? "",
      rule: "a door holds named re-exports only",
    }))
}

function isNamedReExport(statement: ts.Statement): boolean {
  if (!ts.isExportDeclaration(statement) || !statement.moduleSpecifier) return false
  return statement.exportClause !== undefined && ts.isNamedExports(statement.exportClause)
}

function clockViolations(from: string, source: ts.SourceFile): Violation[] {
  if (from === CLOCK_FILE) return []
  return descendants(source)
    .filter(ts.isCallExpression)
    .map((call) =>
      call.expression
        .getText()
        .replace("?.", ".")
        .replace(/^(globalThis|window|self)\./, ""),
    )
    .filter((callee) => CLOCK_CALLS.has(callee))
    .map((to) => ({ from, to, rule: `only ${CLOCK_FILE} touches the clock` }))
}

/** The folder of a path from `src`; a door has none. */
function folderOf(path: string): string | undefined {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : undefined
}

function resolve(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, ".ts")
}

interface Import {
  readonly specifier: string
  readonly isTypeOnly: boolean
}

/** Every way to name a module: import, re-export, `import()` as an expression and as a type, `require`. */
function importsOf(source: ts.SourceFile): Import[] {
  return descendants(source).flatMap((node) => {
    const { specifier, isTypeOnly = false } = importOf(node) ?? {}
    return specifier && ts.isStringLiteralLike(specifier) ? [{ specifier: specifier.text, isTypeOnly }] : []
  })
}

function importOf(node: ts.Node): { specifier: ts.Node | undefined; isTypeOnly?: boolean } | undefined {
  if (ts.isImportDeclaration(node)) {
    return { specifier: node.moduleSpecifier, isTypeOnly: node.importClause?.isTypeOnly ?? false }
  }
  if (ts.isExportDeclaration(node)) return { specifier: node.moduleSpecifier, isTypeOnly: node.isTypeOnly }
  if (ts.isExternalModuleReference(node)) return { specifier: node.expression }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return { specifier: node.argument.literal, isTypeOnly: true }
  }
  if (!ts.isCallExpression(node)) return undefined
  const isImport =
    node.expression.kind === ts.SyntaxKind.ImportKeyword || node.expression.getText() === "require"
  return isImport ? { specifier: node.arguments[0] } : undefined
}

function descendants(node: ts.Node): ts.Node[] {
  const below: ts.Node[] = []
  node.forEachChild((child) => {
    below.push(child, ...descendants(child))
  })
  return below
}
