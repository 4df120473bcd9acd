/**
 * The command `npm run api`: writes what the built package exports, with every signature, to docs/interface — one text file
 * per door. A change of the public interface is a change of these files, to be seen in a review.
 */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import ts from "typescript"

const root = fileURLToPath(new URL("..", import.meta.url))
const FLAGS =
  ts.TypeFormatFlags.NoTruncation |
  ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope |
  ts.TypeFormatFlags.WriteArrowStyleSignature

/** One door of the package, and what it exports. */
export interface ApiReport {
  /** The file of the report, from the project's folder. */
  readonly file: string
  readonly text: string
}

/** Reads the declarations in `dist`; run `npm run build` first. */
export function reportApi(): ApiReport[] {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
    exports: Record<string, string | { import: { types: string } }>
  }
  const doors = Object.entries(exports).flatMap(([name, entry]) =>
    typeof entry === "string" ? [] : [{ name, types: `${root}${entry.import.types.slice(2)}` }],
  )
  const program = ts.createProgram(
    doors.map(({ types }) => types),
    {
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts", "lib.dom.d.ts"],
      types: ["node"],
    },
  )
  return doors.map(({ name, types }) => {
    const title = name === "." ? "holdfast" : `holdfast${name.slice(1)}`
    const lines = new Door(program.getTypeChecker(), program.getSourceFile(types)).lines()
    return {
      file: `docs/interface/${title.replaceAll("/", "-")}.txt`,
      text: `${title}\n\n${lines.join("\n")}\n`,
    }
  })
}

/** One door's exports, in the order of their names. */
class Door {
  readonly #checker: ts.TypeChecker
  readonly #source: ts.SourceFile

  constructor(checker: ts.TypeChecker, source: ts.SourceFile | undefined) {
    if (!source) throw new Error("dist is missing: run `npm run build` first")
    this.#checker = checker
    this.#source = source
  }

  lines(): string[] {
    const module = this.#checker.getSymbolAtLocation(this.#source)
    const symbols = module ? this.#checker.getExportsOfModule(module) : []
    return symbols
      .map((it) => ({ name: it.name, symbol: this.#resolve(it) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap(({ name, symbol }) => this.#describe(name, symbol))
  }

  #resolve(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol
  }

  #describe(name: string, symbol: ts.Symbol): string[] {
    const declaration = symbol.declarations?.[0]
    if (!declaration) return []
    if (ts.isClassDeclaration(declaration) || ts.isInterfaceDeclaration(declaration)) {
      const kind = ts.isClassDeclaration(declaration) ? "class" : "interface"
      const heritage = (declaration.heritageClauses ?? []).map((it) => ` ${oneLine(it).trim()}`).join("")
      const members = declaration.members.filter(isPublic).map((it) => `  ${member(it)}`)
      return [`${kind} ${name}${parameters(declaration)}${heritage}`, ...members.sort(), ""]
    }
    if (ts.isTypeAliasDeclaration(declaration)) {
      return [`type ${name}${parameters(declaration)} = ${oneLine(declaration.type)}`, ""]
    }
    if (ts.isFunctionDeclaration(declaration)) {
      const signatures = (symbol.declarations ?? []).map(
        (it) => `function ${oneLine(it).replace(/^(export |declare )*function /, "")}`,
      )
      return [...signatures, ""]
    }
    const type = this.#checker.getTypeOfSymbolAtLocation(symbol, declaration)
    return [`const ${name}: ${this.#checker.typeToString(type, declaration, FLAGS)}`, ""]
  }
}

function parameters(
  declaration: ts.ClassDeclaration | ts.InterfaceDeclaration | ts.TypeAliasDeclaration,
): string {
  const { typeParameters } = declaration
  return typeParameters ? `<${typeParameters.map(oneLine).join(", ")}>` : ""
}

function isPublic(node: ts.ClassElement | ts.TypeElement): boolean {
  const modifiers = ts.canHaveModifiers(node) ? (ts.getModifiers(node) ?? []) : []
  const isHidden = modifiers.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
  const isInternal = ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal")
  return !isHidden && !isInternal && !(node.name && ts.isPrivateIdentifier(node.name))
}

function member(node: ts.Node): string {
  return oneLine(node).replace(/;$/, "")
}

/** Without comments, on one line. */
function oneLine(node: ts.Node): string {
  const printer = ts.createPrinter({ removeComments: true })
  return printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile()).replace(/\s+/g, " ")
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(`${root}docs/interface`, { recursive: true })
  for (const { file, text } of reportApi()) writeFileSync(`${root}${file}`, text)
}
