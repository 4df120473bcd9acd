import type { IncomingMessage } from "node:http"
import type { ProxyOptions } from "holdfast/server"
import { describe, expect, it } from "vitest"
import { ClientAddress, PROXY_DEFAULTS } from "../../../src/server/client-address.js"

function addressOf(
  options: ProxyOptions,
  remoteAddress: string | undefined,
  headers: Record<string, string | string[]> = {},
): string | undefined {
  const request = { socket: { remoteAddress }, headers } as unknown as IncomingMessage
  return new ClientAddress({ ...PROXY_DEFAULTS, ...options }).of(request)
}

const PROXY = "10.0.0.1"
const behind = { trustedProxies: ["10.0.0.0/8", "fd00::/8", "192.0.2.7"] }
const via = (list: string, options: ProxyOptions = behind, from: string | undefined = PROXY) =>
  addressOf(options, from, { "x-forwarded-for": list })
const viaForwarded = (value: string) =>
  addressOf({ ...behind, proxyHeader: "forwarded" }, PROXY, { forwarded: value })

describe("S43: the address of a client", () => {
  it("is the socket's where no proxy is trusted, whatever headers say", () => {
    expect(via("203.0.113.9", {}, "198.51.100.4")).toBe("198.51.100.4")
    expect(via("203.0.113.9", { trustedProxies: [] }, PROXY)).toBe(PROXY)
    expect(addressOf({}, "::1")).toBe("::1")
    expect(addressOf({}, undefined)).toBeUndefined()
  })

  it("is IPv4 where an IPv6 socket has taken an IPv4 client", () => {
    expect(addressOf({}, "::ffff:203.0.113.9")).toBe("203.0.113.9")
    expect(via("203.0.113.9", behind, "::ffff:10.0.0.1")).toBe("203.0.113.9")
    expect(via("::ffff:203.0.113.9")).toBe("203.0.113.9")
  })

  it("is the socket's where that is no trusted proxy", () => {
    expect(via("203.0.113.9", behind, "198.51.100.4")).toBe("198.51.100.4")
    expect(via("203.0.113.9", behind, "11.0.0.1")).toBe("11.0.0.1")
  })

  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["203.0.113.9, 10.0.0.2", "203.0.113.9"],
    ["203.0.113.9,10.0.0.2,\t192.0.2.7 , fd00::1", "203.0.113.9"],
    // what the client itself has written stands left of what a proxy has
    ["1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"],
    ["10.0.0.9, 203.0.113.9", "203.0.113.9"],
    ["2001:db8::9", "2001:db8::9"],
    ["203.0.113.9:4711", "203.0.113.9"],
    ["[2001:db8::9]:4711", "2001:db8::9"],
    ["[2001:db8::9]", "2001:db8::9"],
    // everybody in the list is a proxy: the farthest of them
    ["10.0.0.3, 10.0.0.2", "10.0.0.3"],
  ])("is the last in X-Forwarded-For that is no trusted proxy: %s", (list, address) => {
    expect(via(list)).toBe(address)
  })

  it.each([
    ["", PROXY],
    [",,,", PROXY],
    ["unknown", PROXY],
    ["999.1.1.1", PROXY],
    ["<script>", PROXY],
    ["203.0.113.9, nonsense", PROXY],
    ["203.0.113.9, nonsense, 10.0.0.2", "10.0.0.2"],
    [" ".repeat(10_000), PROXY],
  ])("is the last proxy that named one where a list is broken: %j", (list, address) => {
    expect(via(list)).toBe(address)
  })

  it("comes from a Unix socket's proxy only where that is trusted", () => {
    expect(addressOf({ trustedProxies: ["unix"] }, undefined, { "x-forwarded-for": "203.0.113.9" })).toBe(
      "203.0.113.9",
    )
    expect(addressOf(behind, undefined, { "x-forwarded-for": "203.0.113.9" })).toBeUndefined()
    expect(via("203.0.113.9", { trustedProxies: ["unix"] })).toBe(PROXY)
  })

  it.each([
    ["for=203.0.113.9", "203.0.113.9"],
    ["for=203.0.113.9;proto=https;by=10.0.0.1", "203.0.113.9"],
    ["proto=https; For=203.0.113.9", "203.0.113.9"],
    ['for="[2001:db8::9]:4711"', "2001:db8::9"],
    ['for="203.0.113.9:4711", for=10.0.0.2', "203.0.113.9"],
    ["for=1.1.1.1, for=203.0.113.9, for=10.0.0.2", "203.0.113.9"],
    // a comma in a quoted string ends nothing
    ['for=203.0.113.9;host="a,for=1.1.1.1"', "203.0.113.9"],
    ['for="203.0.113.9\\"";x', PROXY],
    ["for=unknown", PROXY],
    ["for=_hidden, for=10.0.0.2", "10.0.0.2"],
    ["proto=https", PROXY],
    ['for="203.0.113.9', PROXY],
  ])("is read from Forwarded where the proxies write that (RFC 7239): %s", (value, address) => {
    expect(viaForwarded(value)).toBe(address)
  })

  it("is never read from the header that the proxies do not write", () => {
    const headers = { "x-forwarded-for": "203.0.113.9", forwarded: "for=198.51.100.4" }
    expect(addressOf(behind, PROXY, headers)).toBe("203.0.113.9")
    expect(addressOf({ ...behind, proxyHeader: "forwarded" }, PROXY, headers)).toBe("198.51.100.4")
  })

  it("is read in a time that grows with the header, and no faster", () => {
    // quotes and escapes that never end, as long as Node lets a head be
    for (const value of ['"\\"'.repeat(5_000), "for=;".repeat(3_000), `for="${"\\".repeat(15_000)}`])
      expect(viaForwarded(value)).toBe(PROXY)
  })
})
