/**
 * Imports the root door, and tells what that did to the world around it. It runs as the main thread of a process and
 * in a worker; in both it prints one line, and ends when nothing is left to do.
 */

import "node:module" // at the first sight of which Deno adds a global of its own
import process from "node:process"

const calls = []
for (const name of [
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "addEventListener",
  "fetch",
]) {
  const original = globalThis[name]
  if (typeof original !== "function") continue
  globalThis[name] = (...args) => {
    calls.push(name)
    return original(...args)
  }
}
const state = () => [...Reflect.ownKeys(globalThis), ...process.eventNames()].map(String)
const before = new Set(state())
const names = Object.keys(await import("../../dist/index.js"))
const added = state().filter((it) => !before.has(it))
console.log(JSON.stringify({ calls, added, hasClient: names.includes("ReconnectingClient") }))
