import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import { reportApi } from "../../scripts/api-report.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

it("exports what docs/interface says, with these signatures; `npm run api` writes it anew", () => {
  const reports = reportApi()
  expect(reports.length).toBeGreaterThan(3)
  for (const { file, text } of reports) expect(text, file).toBe(readFileSync(`${root}${file}`, "utf8"))
})
