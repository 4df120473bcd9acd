import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { CloseCode, retryAdvice } from "holdfast"
import { describe, expect, it } from "vitest"

const page = readFileSync(fileURLToPath(new URL("../../docs/errors.md", import.meta.url)), "utf8")

/** The rows of the table in docs/errors.md that are about one code each. */
const rows = [...page.matchAll(/^\| (\d{4}) \| `(\w+)` \| (.+?) \| (\w+) \| (.+?) \|$/gm)].map(
  ([, code, name, when, retry, then]) => ({ code: Number(code), name, when, retry, then }),
)

describe("S51: the table of close codes in docs/errors.md", () => {
  it("has every code of CloseCode once, under its name", () => {
    expect(Object.fromEntries(rows.map(({ name, code }) => [name, code]))).toEqual(CloseCode)
    expect(rows).toHaveLength(Object.keys(CloseCode).length)
  })

  it.each(rows)("says of $code what retryAdvice says: $retry", ({ code, retry, then }) => {
    expect(retry).toBe(retryAdvice(code))
    const words = { now: "dials with the usual backoff", later: "waits a random 5–30 s", never: "stops" }
    expect(then).toContain(words[retryAdvice(code)])
  })

  it("says the same of all others", () => {
    for (let code = 3000; code <= 4999; code += 1) {
      if (rows.some((it) => it.code === code)) continue
      expect(retryAdvice(code)).toBe(code >= 4400 && code <= 4499 ? "never" : "now")
    }
  })
})
