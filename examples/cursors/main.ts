/**
 * `npx tsx examples/cursors/main.ts`: a board on which everybody sees where the others point.
 */

import { startCursors } from "./cursors-server.js"

const cursors = await startCursors(Number(process.env.PORT ?? 8080))
console.log(`the board:      ${cursors.url}  in two windows; another board with ?board=attic`)
console.log(
  `its messages:   npx wscat -c ${cursors.url.replace("http", "ws")}/ws/lobby  and type {"type":"move","x":0.5,"y":0.5}`,
)

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => cursors[Symbol.asyncDispose]())
