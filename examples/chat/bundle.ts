/**
 * Makes the page: its script with the library in it, its style and its markup, all held in memory.
 * It knows nothing of who asks for the files.
 */

import { readFile } from "node:fs/promises"
import { bundleScript } from "../pages/bundle-script.js"

/** One file of the page. */
export interface Asset {
  readonly type: string
  readonly body: string | Uint8Array
}

const folder = new URL("./page/", import.meta.url)

let bundled: Promise<ReadonlyMap<string, Asset>> | undefined

/** Bundles the page, once in the life of the process. Resolves with its files by path. */
export function bundlePage(): Promise<ReadonlyMap<string, Asset>> {
  bundled ??= bundle()
  return bundled
}

async function bundle(): Promise<ReadonlyMap<string, Asset>> {
  const [html, ground, style, icon, script] = await Promise.all([
    readFile(new URL("index.html", folder)),
    readFile(new URL("../pages/ground.css", import.meta.url)),
    readFile(new URL("style.css", folder)),
    readFile(new URL("icon.svg", folder)),
    bundleScript(new URL("page.ts", folder)),
  ])
  return new Map<string, Asset>([
    ["/", { type: "text/html; charset=utf-8", body: html }],
    ["/style.css", { type: "text/css; charset=utf-8", body: Buffer.concat([ground, style]) }],
    ["/icon.svg", { type: "image/svg+xml", body: icon }],
    ["/page.js", { type: "text/javascript; charset=utf-8", body: script }],
  ])
}
