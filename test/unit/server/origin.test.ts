import { describe, expect, it } from "vitest"
import { ORIGIN_DEFAULTS, OriginCheck, type OriginOptions } from "../../../src/server/origin.js"

const HOST = "app.example"

function allows(
  options: OriginOptions,
  origin: string | undefined,
  host: string | undefined = HOST,
): boolean {
  return new OriginCheck({ ...ORIGIN_DEFAULTS, ...options }).allows(origin, host)
}

describe("S42: with nothing listed, the request's own host passes", () => {
  it.each([
    ["https://app.example", "app.example"],
    ["http://app.example", "app.example"],
    ["https://app.example", "app.example:443"],
    ["https://app.example:443", "app.example"],
    ["http://app.example", "app.example:80"],
    ["http://app.example:80", "app.example"],
    ["https://app.example:8443", "app.example:8443"],
    ["HTTPS://App.Example", "aPP.example"],
    ["http://localhost:3000", "localhost:3000"],
    ["http://127.0.0.1:3000", "127.0.0.1:3000"],
    ["http://[::1]:3000", "[::1]:3000"],
  ])("%s to %s", (origin, host) => {
    expect(allows({}, origin, host)).toBe(true)
  })
})

describe("S42: with nothing listed, everything else is refused", () => {
  it.each([
    ["another host", "https://evil.example", HOST],
    ["a subdomain of it", "https://www.app.example", HOST],
    ["a host that it is a subdomain of", "https://example", HOST],
    ["a host that ends like it", "https://evilapp.example", HOST],
    ["a host that begins like it", "https://app.example.evil.example", HOST],
    ["another port", "https://app.example:8443", HOST],
    ["the default port of another scheme", "https://app.example", "app.example:80"],
    ["no host to compare with", "https://app.example", undefined],
    ["an empty host", "https://", ""],
  ])("%s", (_, origin, host) => {
    expect(new OriginCheck(ORIGIN_DEFAULTS).allows(origin, host)).toBe(false)
  })

  it.each([
    ["the word null", "null"],
    ["an empty header", ""],
    ["no scheme", HOST],
    ["a path", `https://${HOST}/path`],
    ["a slash at the end", `https://${HOST}/`],
    ["a login", `https://evil.example@${HOST}`],
    ["a query", `https://${HOST}?a`],
    ["a fragment", `https://${HOST}#a`],
    ["a backslash", `https://evil.example\\.${HOST}`],
    ["two of them with a space", `https://${HOST} https://evil.example`],
    ["two of them with a comma", `https://${HOST}, https://${HOST}`],
    ["a control character", `https://${HOST}\u0000`],
    ["an escaped host", "https://app%2eexample"],
    ["a port that is none", `https://${HOST}:99999`],
    ["nothing like an origin", "%%%"],
  ])("garbage: %s", (_, origin) => {
    expect(allows({}, origin)).toBe(false)
    expect(allows({ origins: ["https://*.example", "https://other.example"] }, origin)).toBe(false)
  })
})

describe("S42: what is listed passes besides the own host", () => {
  const origins = [
    "https://one.example",
    "http://two.example:8080",
    "https://three.example:443",
    "https://*.wild.example",
  ]

  it.each([
    "https://one.example",
    "https://ONE.example",
    "https://one.example:443",
    "http://two.example:8080",
    "https://three.example",
    "https://a.wild.example",
    "https://a.b.wild.example",
    "https://A.Wild.Example",
    `https://${HOST}`,
  ])("%s", (origin) => {
    expect(allows({ origins }, origin)).toBe(true)
  })

  it.each([
    ["another scheme", "http://one.example"],
    ["another port", "https://one.example:8443"],
    ["the default port of another scheme", "http://two.example"],
    ["a subdomain of an exact one", "https://www.one.example"],
    ["the parent of a wildcard", "https://wild.example"],
    ["a wildcard's label boundary", "https://evilwild.example"],
    ["a wildcard with nothing before the dot", "https://.wild.example"],
    ["a wildcard's own star", "https://*.wild.example"],
    ["a wildcard with another scheme", "http://a.wild.example"],
    ["a wildcard with a port", "https://a.wild.example:8443"],
    ["a wildcard in front", "https://a.wild.example.evil.example"],
    ["a wildcard behind a path", "https://evil.example/.wild.example"],
    ["a wildcard behind a query", "https://evil.example?.wild.example"],
    ["a wildcard behind a login", "https://evil.example@a.wild.example"],
    ["a wildcard at the end of two", "https://evil.example https://a.wild.example"],
    ["null", "null"],
  ])("but not %s", (_, origin) => {
    expect(allows({ origins }, origin)).toBe(false)
  })

  it("null, where it is listed by name", () => {
    expect(allows({ origins: ["null"] }, "null")).toBe(true)
  })

  it("an origin of another scheme, as browser extensions and apps have them", () => {
    expect(allows({ origins: ["chrome-extension://abcdef"] }, "chrome-extension://abcdef")).toBe(true)
    expect(allows({ origins: ["chrome-extension://abcdef"] }, "chrome-extension://fedcba")).toBe(false)
  })
})

describe("S42: a missing origin", () => {
  it("passes, unless the option says otherwise", () => {
    expect(allows({}, undefined)).toBe(true)
    expect(allows({ allowMissingOrigin: true }, undefined)).toBe(true)
    expect(allows({ allowMissingOrigin: false }, undefined)).toBe(false)
    expect(allows({ origins: ["https://one.example"], allowMissingOrigin: false }, undefined)).toBe(false)
  })
})

describe("S42: pairs of origin and host that come again", () => {
  it("are decided alike each time, whatever was let in before", () => {
    const check = new OriginCheck({ ...ORIGIN_DEFAULTS, origins: ["https://*.listed.example"] })
    const pairs: [origin: string, host: string | undefined, isIn: boolean][] = [
      ["https://app.example", "app.example", true],
      ["https://app.example", "other.example", false],
      ["https://other.example", "app.example", false],
      ["https://app.example", undefined, false],
      ["https://undefined", undefined, false],
      ["https://undefined", "undefined", true],
      ["https://a.listed.example", undefined, true],
      [`https://${"a".repeat(1_000)}.listed.example`, HOST, true],
    ]
    for (let i = 0; i < 3; i += 1) {
      for (const [origin, host, isIn] of pairs)
        expect([origin, check.allows(origin, host)]).toEqual([origin, isIn])
      for (let host = 0; host < 1_500; host += 1)
        expect(check.allows(`http://${host}.b`, `${host}.b`)).toBe(true)
    }
  })
})

describe("S42: origins: false", () => {
  it.each(["https://evil.example", "null", "%%%", ""])("lets in %j", (origin) => {
    expect(allows({ origins: false }, origin)).toBe(true)
  })

  it("says nothing about a missing origin", () => {
    expect(allows({ origins: false }, undefined)).toBe(true)
    expect(allows({ origins: false, allowMissingOrigin: false }, undefined)).toBe(false)
  })
})
