/**
 * Runs the import program in a worker thread, and waits for nothing.
 */

import { Worker } from "node:worker_threads"

new Worker(new URL("./import-program.mjs", import.meta.url))
