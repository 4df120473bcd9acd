/**
 * Prints the results of the last `npm test` and `npm run matrix` as one plain line, and exits non-zero unless all of
 * it passed. The argument `failed` says that a command itself failed, which no report knows: an error outside every test,
 * such as an unhandled rejection, or a run that broke before its first test.
 */

import { readFileSync } from "node:fs"

const reports = [".reports/vitest.json", ".reports/matrix.json"].map(readReport).filter(Boolean)
const passed = sum((report) => report.numPassedTests)
const failed = sum((report) => report.numFailedTests + countBroken(report))
const isFailed = reports.length === 0 || process.argv[2] === "failed"
const failures = failed === 0 && isFailed ? 1 : failed
console.log(`${passed} passed, ${failures} failed`)
process.exitCode = failures === 0 ? 0 : 1

// One that is not there is a command that broke, or that was not reached because an earlier one did.
function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"))
  } catch {
    return undefined
  }
}

function sum(count) {
  return reports.reduce((total, report) => total + count(report), 0)
}

// A file that breaks while it loads has no test that could fail, so it counts as one itself.
function countBroken(report) {
  return report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed"),
  ).length
}
