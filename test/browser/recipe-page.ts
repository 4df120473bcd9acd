/**
 * Puts the snippets of a recipe into a page, as a bundler of the reader's would: files by name, with the library, React
 * or Vue beside them. Serves the page next to a hub.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { build, type Loader } from "esbuild"
import { createHub, type Hub } from "holdfast"
import { attach } from "holdfast/server"
import type { Browser, Page } from "playwright-core"
import { expect, onTestFinished } from "vitest"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Bundles files that exist only by name. The first is the entry. */
export async function bundleFiles(files: Readonly<Record<string, string>>): Promise<string> {
  const [entry = ""] = Object.keys(files)
  const nameOf = (path: string) => {
    const name = path.replace(/^\.\//, "").replace(/\.js$/, "")
    return Object.keys(files).find((file) => file === path || file.replace(/\.tsx?$/, "") === name)
  }
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    logLevel: "silent",
    alias: { holdfast: `${root}/src/index.ts` },
    define: {
      "process.env.NODE_ENV": '"development"',
      __VUE_OPTIONS_API__: "false",
      __VUE_PROD_DEVTOOLS__: "false",
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
    },
    plugins: [
      {
        name: "recipe",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /.*/ }, ({ path, namespace, kind }) => {
            const isOurs = namespace === "recipe" || kind === "entry-point"
            const name = isOurs ? nameOf(path) : undefined
            return name === undefined ? undefined : { path: name, namespace: "recipe" }
          })
          onLoad({ filter: /.*/, namespace: "recipe" }, ({ path }) => ({
            contents: files[path] ?? "",
            loader: path.split(".").pop() as Loader,
            resolveDir: root,
          }))
        },
      },
    ],
  })
  return outputFiles[0]?.text ?? ""
}

/** A recipe's page in a browser, and the hub that it talks to. */
export interface RecipePage<In, Out> {
  readonly page: Page
  readonly hub: Hub<In, Out>
}

/** Opens a page of these scripts, by path; `/page.js` is the one that it begins with. Ends with the test. */
export async function openRecipe<In, Out>(
  browser: Browser,
  scripts: Readonly<Record<string, string>>,
): Promise<RecipePage<In, Out>> {
  const hub = createHub<In, Out>()
  const http = createServer(({ url = "/" }, response) => {
    const script = scripts[url]
    response.setHeader("Content-Type", script === undefined ? "text/html" : "text/javascript")
    response.end(
      script ??
        '<!doctype html><title>recipe</title><div id="app"></div><script type="module" src="/page.js"></script>',
    )
  })
  attach(http, hub, { path: ["/ws", "/ws/:room"] })
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  const context = await browser.newContext()
  context.setDefaultTimeout(8_000)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on("console", (entry) => {
    // a connection that is closed while it connects is a line of the browser's own
    if (
      entry.type() === "error" &&
      !/favicon|closed before the connection/.test(entry.text() + entry.location().url)
    ) {
      complaints.push(entry.text())
    }
  })
  page.on("pageerror", (error) => complaints.push(String(error)))
  onTestFinished(async () => {
    await context.close()
    await hub.close()
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
    expect(complaints).toEqual([])
  })
  await page.goto(`http://127.0.0.1:${(http.address() as AddressInfo).port}/`)
  return { page, hub }
}
