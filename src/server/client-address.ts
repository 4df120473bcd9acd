/**
 * Whose address a request comes from, behind proxies too. A header that anybody can write is believed only as far as
 * a proxy that is trusted has written it.
 */

import type { IncomingMessage } from "node:http"
import { BlockList, isIP, isIPv4 } from "node:net"
import { checkOneOf, reject } from "../core/options.js"

/** Which proxies are believed about whom they speak for. */
export interface ProxyOptions {
  /**
   * Addresses of your own proxies, one by one or as CIDR ranges (`10.0.0.0/8`, `fd00::/8`); `unix` for whoever connects
   * through a Unix socket. The client is the last address in the header that is none of them.
   * @defaultValue none: the address is the socket's
   */
  readonly trustedProxies?: readonly string[]
  /**
   * The header that those proxies write. Name the one they do write: the other would be the client's own invention.
   * @defaultValue "x-forwarded-for"
   */
  readonly proxyHeader?: "x-forwarded-for" | "forwarded"
}

/** See {@link ProxyOptions}. */
export const PROXY_DEFAULTS: Required<ProxyOptions> = Object.freeze({
  trustedProxies: [],
  proxyHeader: "x-forwarded-for",
})

const UNIX = "unix"
/** IPv4 in the form that IPv6 sockets give it (RFC 4291, section 2.5.5.2). */
const MAPPED = /^::ffff:(?=[\d.]+$)/i
/** `1.2.3.4`, `1.2.3.4:5678`, `[::1]`, `[::1]:5678`, `::1` */
const WITH_PORT = /^(?:([\d.]+)(?::\d+)?|\[([^\]]+)\](?::\d+)?|([\da-f:.]+))$/i

/** Finds out client addresses. */
export class ClientAddress {
  readonly #trusted: BlockList | undefined
  readonly #trustsUnix: boolean
  readonly #header: "x-forwarded-for" | "forwarded"

  /** @throws InvalidOptionError with the value received. */
  constructor({ trustedProxies, proxyHeader }: Required<ProxyOptions>) {
    if (!Array.isArray(trustedProxies)) reject("trustedProxies", "a list of strings", trustedProxies)
    this.#header = checkOneOf("proxyHeader", proxyHeader, ["x-forwarded-for", "forwarded"])
    this.#trustsUnix = trustedProxies.includes(UNIX)
    const ranges = trustedProxies.filter((it) => it !== UNIX)
    if (ranges.length > 0) this.#trusted = blockListOf(ranges)
  }

  /** The client's address; `undefined` where it is not known. */
  of(request: IncomingMessage): string | undefined {
    let address = plain(request.socket.remoteAddress)
    if (!this.#trusts(address)) return address
    // the nearest hop stands last; each is believed because the one behind it is trusted
    for (const hop of this.#hops(request).reverse()) {
      const named = plain(WITH_PORT.exec(hop)?.slice(1).find(Boolean))
      if (named === undefined || isIP(named) === 0) break
      address = named
      if (!this.#trusts(address)) break
    }
    return address
  }

  #trusts(address: string | undefined): boolean {
    if (address === undefined) return this.#trustsUnix
    return this.#trusted?.check(address, isIPv4(address) ? "ipv4" : "ipv6") ?? false
  }

  #hops({ headers }: IncomingMessage): string[] {
    const value = headers[this.#header]
    const text = Array.isArray(value) ? value.join(",") : (value ?? "")
    return this.#header === "forwarded" ? forwardedFor(text) : text.split(",").map((it) => it.trim())
  }
}

function plain(address: string | undefined): string | undefined {
  return address?.startsWith("::") ? address.replace(MAPPED, "") : address
}

/** The `for` parameters of a `Forwarded` header, empty where an element has none (RFC 7239, section 4). */
function forwardedFor(text: string): string[] {
  return elementsOf(text).map((element) => {
    const [, quoted, token] = /(?:^|;)\s*for=(?:"((?:\\.|[^"\\])*)"|([^;\s]*))/i.exec(element) ?? []
    return quoted?.replace(/\\(.)/g, "$1") ?? token ?? ""
  })
}

/** A list, split at the commas that stand in no quoted string (RFC 9110, section 5.6.4). */
function elementsOf(text: string): string[] {
  const elements: string[] = []
  let isQuoted = false
  let start = 0
  for (let at = 0; at < text.length; at += 1) {
    if (isQuoted && text[at] === "\\") at += 1
    else if (text[at] === '"') isQuoted = !isQuoted
    else if (text[at] === "," && !isQuoted) {
      elements.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...elements, text.slice(start)]
}

function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = "", bits] = typeof range === "string" ? range.split("/") : []
    const family = isIPv4(address) ? "ipv4" : "ipv6"
    const most = family === "ipv4" ? 32 : 128
    const prefix = bits === undefined ? most : /^\d+$/.test(bits) ? Number(bits) : Number.NaN
    const isRange = isIP(address) !== 0 && prefix <= most && range.split("/").length <= 2
    if (!isRange) reject("trustedProxies", 'addresses, CIDR ranges such as 10.0.0.0/8, or "unix"', range)
    list.addSubnet(address, prefix, family)
  }
  return list
}
