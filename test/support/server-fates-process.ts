/**
 * The server of server-fates.ts as a process of its own, without a handler for uncaught errors: the first of them ends
 * it. Its parent is told the port, and whatever it asks for.
 */

import { startFates } from "./server-fates.js"

const { port, remains } = await startFates()

process.on("message", async () => process.send?.(await remains()))
process.on("disconnect", () => process.exit())
process.send?.(port)
