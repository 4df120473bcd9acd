import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { findViolations, formatViolation } from "../../scripts/floors.js"

const src = fileURLToPath(new URL("../../src/", import.meta.url))

/** The violations in a source tree given as `{ path: text }`, one line each. */
function check(files: Record<string, string>): string[] {
  return findViolations(new Map(Object.entries(files))).map(formatViolation)
}

function readSources(): Record<string, string> {
  const paths = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"))
  return Object.fromEntries(
    paths.map((path) => [path.replaceAll("\\", "/"), readFileSync(src + path, "utf8")]),
  )
}

describe("the sources", () => {
  it("K2: import only downwards, each foreign package in one file, and the clock in one file", () => {
    const files = readSources()
    expect(Object.keys(files)).toContain("index.ts")
    expect(check(files)).toEqual([])
  })
})

describe("the checker", () => {
  it("passes an import from the own folder and from every lower floor", () => {
    const files = {
      "core/emitter.ts": 'import EventEmitter from "eventemitter3"\nimport { a } from "./types.js"',
      "wire/socket.ts": 'import WebSocket from "isomorphic-ws"\nimport type { A } from "../core/types.js"',
      "hub/hub.ts": 'import { c } from "../wire/connection.js"\nimport { r } from "./rooms.js"',
      "server/handshake.ts": 'import { WebSocketServer } from "ws"\nimport type { Hub } from "../hub/hub.js"',
      "testing/proxy.ts": 'import { connect } from "node:net"\nimport { Hub } from "../hub/hub.js"',
      "index.ts": 'export { createHub } from "./hub/hub.js"\nexport type { A } from "./core/types.js"',
      "server.ts": 'export { attach } from "./server/attach.js"',
    }
    expect(check(files)).toEqual([])
  })

  it.each([
    ["core/a.ts", 'import { b } from "../wire/b.js"', "core/a.ts -> wire/b.ts  (up, from floor 0 to 1)"],
    ["wire/a.ts", 'import type { B } from "../hub/b.js"', "wire/a.ts -> hub/b.ts  (up, from floor 1 to 2)"],
    ["hub/a.ts", 'export { b } from "../client/b.js"', "hub/a.ts -> client/b.ts  (sideways on floor 2)"],
    ["client/a.ts", 'import type { B } from "../hub/b.js"', "client/a.ts -> hub/b.ts  (sideways on floor 2)"],
    [
      "client/a.ts",
      'const b = import("../server/b.js")',
      "client/a.ts -> server/b.ts  (sideways on floor 2)",
    ],
    [
      "server/a.ts",
      'type B = import("../client/b.js").B',
      "server/a.ts -> client/b.ts  (sideways on floor 2)",
    ],
    ["server/a.ts", 'import { b } from "../hub/b.js"', "server/a.ts -> hub/b.ts  (sideways on floor 2)"],
    ["server/a.ts", 'import { type B } from "../hub/b.js"', "server/a.ts -> hub/b.ts  (sideways on floor 2)"],
    ["hub/a.ts", 'import { b } from "../messages/b.js"', "hub/a.ts -> messages/b.ts  (sideways on floor 2)"],
    ["auth/a.ts", 'import { b } from "../testing/b.js"', "auth/a.ts -> testing/b.ts  (sideways on floor 3)"],
    ["hub/a.ts", 'import { b } from "../odds/b.js"', "hub/a.ts -> odds/b.ts  (odds/ has no floor)"],
    [
      "hub/a.ts",
      'import { b } from "../index.js"',
      "hub/a.ts -> index.ts  (only users enter through a door)",
    ],
    [
      "index.ts",
      'export { b } from "./server/b.js"',
      "index.ts -> server/b.ts  (the root door does not reach server/)",
    ],
  ])("reports the arrow of %s: %s", (path, text, line) => {
    expect(check({ [path]: text })).toEqual([line])
  })

  it.each([
    ["hub/a.ts", 'import E from "eventemitter3"', "eventemitter3  (only core/emitter.ts imports it)"],
    ["hub/a.ts", 'import type { WebSocket } from "ws"', "ws  (only server/handshake.ts imports it)"],
    ["hub/a.ts", 'import lodash from "lodash"', "lodash  (not a dependency)"],
    ["hub/a.ts", 'const ws = require("ws")', "ws  (only server/handshake.ts imports it)"],
    [
      "wire/a.ts",
      'import type { Socket } from "node:net"',
      "node:net  (only server, adapters, auth, testing use Node's modules)",
    ],
  ])("reports a foreign import of %s: %s", (path, text, end) => {
    expect(check({ [path]: text })).toEqual([`${path} -> ${end}`])
  })

  it.each([
    'export * from "./core/types.js"',
    'export * as core from "./core/types.js"',
    'import { a } from "./core/types.js"',
    "export const a = 1",
  ])("reports a door's statement that is no named re-export: %s", (text) => {
    expect(check({ "index.ts": text })).toEqual([`index.ts -> ${text}  (a door holds named re-exports only)`])
  })

  it.each([
    "setTimeout(f, 1)",
    "globalThis.clearTimeout(t)",
    "queueMicrotask(f)",
    "Date.now()",
    "performance.now()",
  ])("reports a direct use of the clock: %s", (text) => {
    expect(check({ "hub/a.ts": text })).toHaveLength(1)
    expect(check({ "core/timer.ts": text })).toEqual([])
    expect(check({ "hub/a.ts": `clock.${text}` })).toEqual([])
  })
})
