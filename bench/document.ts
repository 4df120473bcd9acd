/**
 * A larger message: about a kilobyte of JSON, as an application would send it, and with a number. It knows no frames and
 * no compression.
 */

import { seededRandom } from "../test/support/seeded-random.js"

const ITEMS = 10
const WORDS = "amber birch cedar delta ember flint grove hazel ivory jade".split(" ")

/** Document number `serial`: the same in every process. */
export function documentOf(serial: number): string {
  const random = seededRandom(serial)
  const below = (count: number) => Math.floor(random() * count)
  return JSON.stringify({
    type: "prices",
    serial,
    at: 1_700_000_000_000 + serial * 250,
    items: Array.from({ length: ITEMS }, () => ({
      id: below(1_000_000),
      symbol: WORDS[below(WORDS.length)],
      bid: below(100_000) / 100,
      ask: below(100_000) / 100,
      volume: below(1_000_000),
      venues: [WORDS[below(WORDS.length)], WORDS[below(WORDS.length)]],
    })),
  })
}
