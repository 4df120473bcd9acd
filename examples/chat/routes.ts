/**
 * What the demo answers over HTTP: the page, its health, and the two ways to break something.
 * It knows no sockets; what it can do is handed in.
 */

import type { IncomingMessage, ServerResponse } from "node:http"
import type { Asset } from "./bundle.js"

/** What the routes need of the chat. */
export interface RoutesOptions {
  readonly assets: ReadonlyMap<string, Asset>
  readonly health: () => object
  /** Cuts a member's line. Returns whether there is such a member. */
  readonly cut: (memberId: string) => boolean
  /** Stops the server for a while. Called once the answer has left. */
  readonly restart: () => void
}

const HEADERS = {
  "Cache-Control": "no-cache",
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
}

type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => void

/** Makes the listener of the HTTP server's requests. */
export function routes(options: RoutesOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const gets = new Map<string, Handler>([
    ["/health", (_, response) => sendJson(response, 200, options.health())],
  ])
  for (const [path, { type, body }] of options.assets) {
    gets.set(path, (_, response) => send(response, 200, type, body))
  }
  const posts = new Map<string, Handler>([
    ["/cut", (_, response, url) => cut(options, response, url)],
    ["/restart", (_, response) => restart(options, response)],
  ])
  return (request, response) => {
    const url = new URL(request.url ?? "/", "http://demo")
    const handler = (isRead(request) ? gets : posts).get(url.pathname)
    if (handler && (isRead(request) || isOwnPost(request))) return handler(request, response, url)
    const allow = gets.has(url.pathname) ? "GET, HEAD" : posts.has(url.pathname) ? "POST" : undefined
    if (!allow) return sendText(response, 404, "there is nothing here")
    if (handler) return sendText(response, 403, "only the demo's own page may ask for this")
    response.setHeader("Allow", allow)
    sendText(response, 405, `use ${allow}`)
  }
}

function isRead({ method }: IncomingMessage): boolean {
  return method === "GET" || method === "HEAD"
}

/** Any page can send a POST to any address; the browser says whose page it is, and other programs say nothing. */
function isOwnPost({ method, headers }: IncomingMessage): boolean {
  if (method !== "POST") return false
  const { origin, host } = headers
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`
}

function cut({ cut: cutLine }: RoutesOptions, response: ServerResponse, url: URL): void {
  if (cutLine(url.searchParams.get("id") ?? "")) sendJson(response, 202, { ok: true })
  else sendText(response, 404, "there is nobody with this id")
}

function restart({ restart: stop }: RoutesOptions, response: ServerResponse): void {
  response.once("finish", stop)
  response.setHeader("Connection", "close")
  sendJson(response, 202, { ok: true })
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  send(response, status, "application/json", `${JSON.stringify(value)}\n`)
}

function sendText(response: ServerResponse, status: number, text: string): void {
  send(response, status, "text/plain; charset=utf-8", `${text}\n`)
}

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, { ...HEADERS, "Content-Type": type, "Content-Length": Buffer.byteLength(body) })
  response.end(response.req.method === "HEAD" ? undefined : body)
}
