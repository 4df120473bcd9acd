/**
 * Hands out the page of an example: its script with the library in it, its markup, and its style behind what all
 * pages share and what these have in common. It knows HTTP, and nothing of what the pages do.
 */

import { readFile } from "node:fs/promises"
import type { IncomingMessage, ServerResponse } from "node:http"
import { bundleScript } from "./bundle-script.js"

const HEADERS = {
  "Cache-Control": "no-cache",
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
}

/** Bundles `index.html`, `style.css` and `page.ts` of a folder. Resolves with a listener for the server's requests. */
export async function servePage(
  folder: URL,
): Promise<(request: IncomingMessage, response: ServerResponse) => void> {
  const [html, ground, base, style, icon, script] = await Promise.all([
    readFile(new URL("index.html", folder)),
    readFile(new URL("ground.css", import.meta.url)),
    readFile(new URL("base.css", import.meta.url)),
    readFile(new URL("style.css", folder)),
    readFile(new URL("../chat/page/icon.svg", import.meta.url)),
    bundleScript(new URL("page.ts", folder)),
  ])
  const files = new Map<string, { readonly type: string; readonly body: string | Uint8Array }>([
    ["/", { type: "text/html; charset=utf-8", body: html }],
    ["/style.css", { type: "text/css; charset=utf-8", body: Buffer.concat([ground, base, style]) }],
    ["/icon.svg", { type: "image/svg+xml", body: icon }],
    ["/page.js", { type: "text/javascript; charset=utf-8", body: script }],
  ])
  return ({ url = "/", method }, response) => {
    const file = files.get(new URL(url, "http://page").pathname)
    const status = method !== "GET" && method !== "HEAD" ? 405 : file ? 200 : 404
    response.writeHead(status, { ...HEADERS, "Content-Type": file?.type ?? "text/plain" })
    response.end(status === 200 && method === "GET" ? file?.body : undefined)
  }
}
