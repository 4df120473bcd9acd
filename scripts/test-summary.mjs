/**
 * Prints the result of the last `npm test` as one plain line, and exits non-zero unless all of it passed.
 * The argument `failed` says that the command itself failed, which the report does not know: an error outside
 * every test, such as an unhandled rejection, or a run that broke before its first test.
 */

import { readFileSync } from "node:fs"

const { passed, failed } = readCounts(".reports/vitest.json")
const failures = failed === 0 && process.argv[2] === "failed" ? 1 : failed
console.log(`${passed} passed, ${failures} failed`)
process.exitCode = failures === 0 ? 0 : 1

function readCounts(path) {
  let report
  try {
    report = JSON.parse(readFileSync(path, "utf8"))
  } catch {
    return { passed: 0, failed: 1 }
  }
  // A file that breaks while it loads has no test that could fail, so it counts as one itself.
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  )
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length }
}
