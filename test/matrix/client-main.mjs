/**
 * Runs the client program as a process of Node, Deno or Bun, and prints each event as one line of JSON. It catches
 * nothing and never calls `exit`: what goes wrong shows in how the process ends.
 */

import process from "node:process"
import * as holdfast from "../../dist/index.js"
import { runClient } from "./client-program.mjs"

await runClient(holdfast, JSON.parse(process.argv[2]), (event) => console.log(JSON.stringify(event)))
