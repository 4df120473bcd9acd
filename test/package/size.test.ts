import { expect, it } from "vitest"
import { formatSizes, measureSizes } from "../../scripts/size-budget.js"

it("keeps every import within its size budget", async () => {
  const sizes = await measureSizes()
  console.log(formatSizes(sizes))
  expect(sizes.filter((size) => size.gzipBytes > size.maxGzipBytes)).toEqual([])
})
