/**
 * `npx tsx examples/dashboard/main.ts`: a page with a chart that gets twenty values a second.
 */

import { startDashboard } from "./dashboard-server.js"

const dashboard = await startDashboard(Number(process.env.PORT ?? 8080))
console.log(`the dashboard:  ${dashboard.url}`)
console.log(`its messages:   npx wscat -c ${dashboard.url.replace("http", "ws")}/ws`)
console.log("to see it hold: stop this with Ctrl-C, start it again, and the page is back by itself")

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => dashboard[Symbol.asyncDispose]())
