import { expect, it } from "vitest"
import { dated, findObstacles, type RepositoryState } from "../../../scripts/release.js"

const ready: RepositoryState = {
  branch: "main",
  changes: "",
  tags: ["v0.1.0"],
  changelog: "# Changelog\n\n## 0.2.0 — unreleased\n\n## 0.1.0 — 2026-01-01\n",
  hasRepository: true,
}

it("finds nothing in the way of a release that is ready", () => {
  expect(findObstacles("0.2.0", ready)).toEqual([])
})

it.each([
  ["1.2", {}, ['"1.2" is no version: say, 1.2.3.', 'CHANGELOG.md has no heading "## 1.2 — unreleased".']],
  ["0.2.0", { branch: "fix" }, ["The branch is fix; releases are made on main."]],
  ["0.2.0", { changes: " M src/index.ts" }, ["There are changes that are not committed."]],
  ["0.2.0", { tags: ["v0.2.0"] }, ["The tag v0.2.0 exists."]],
  ["0.1.0", { tags: [] }, ['CHANGELOG.md has no heading "## 0.1.0 — unreleased".']],
  ["0.2.0", { hasRepository: false }, ["package.json has no `repository`, which npm's provenance needs."]],
])("names what is in the way of %s with %o", (version, change, obstacles) => {
  expect(findObstacles(version, { ...ready, ...change })).toEqual(obstacles)
})

it("dates the heading of the version, and no other", () => {
  expect(dated(ready.changelog, "0.2.0", "2026-02-03")).toBe(
    "# Changelog\n\n## 0.2.0 — 2026-02-03\n\n## 0.1.0 — 2026-01-01\n",
  )
})
