/**
 * `npm run demo:pool`: twelve texts are counted through three connections, and the server crashes in between.
 */

import { countingPool, countWords } from "./counting.js"
import { openCountingHouse } from "./counting-house.js"

const TEXTS = Array.from({ length: 12 }, (_, index) => "word ".repeat(index + 1))

await using house = await openCountingHouse()
await using pool = countingPool(house.url)

pool.on("open", () => console.log(`a connection was opened: ${pool.size} there are`))
pool.on("close", ({ code, wasLeased }) => {
  console.log(`a connection ended with ${code}, ${wasLeased ? "at work" : "idle"}`)
})

let counted = 0
let most = 0
const counts = await Promise.all(
  TEXTS.map(async (text, index) => {
    const { words, desk } = await countWords(pool, text)
    most = Math.max(most, pool.size)
    counted += 1
    console.log(`text ${index + 1} has ${words} words, says desk ${desk}; ${pool.waiting} wait`)
    if (counted === 5) house.crash()
    return words
  }),
)

const isRight = counts.every((words, index) => words === index + 1)
console.log(
  `${counts.length} texts, ${isRight ? "all right" : "some wrong"}; never more than ${most} connections at a time`,
)
process.exitCode = isRight ? 0 : 1
