import { describe, expect, it } from "vitest"
import { type Bar, drawChart } from "../../../bench/chart.js"
import type { RowResult } from "../../../bench/measure.js"
import { disturbedCells, toChart, toMarkdown } from "../../../bench/report.js"
import type { Row } from "../../../bench/row.js"
import { p99, spread } from "../../../bench/statistics.js"

describe("the bench's report", () => {
  const contenders = [
    { name: "ws", title: "ws", source: "" },
    { name: "again", title: "again", source: "", isControl: true },
    { name: "holdfast", title: "holdfast", source: "", isOurs: true },
  ]
  const cell = { name: "c", title: "a cell", rounds: 1, round: async () => ({ count: 1, value: 1 }) }
  const row: Row = {
    name: "r",
    title: "A row",
    quantity: "Cost",
    unit: "µs",
    contenders,
    cells: [cell],
    open: async () => ({ close: async () => {} }),
  }
  const resultOf = (values: readonly number[]): RowResult => ({
    row,
    connections: 10,
    missing: [],
    cells: [
      {
        cell,
        findings: values.map((value, i) => ({
          contender: contenders[i] as (typeof contenders)[number],
          count: 1,
          values: [value],
          extra: { grams: 10 * value },
          cost: spread([value]),
          ratio: spread([(values[0] as number) / value]),
        })),
      },
    ],
  })

  it("says how many times less or more than the baseline", () => {
    expect(toMarkdown(resultOf([2, 2, 1]))).toContain("| **1.00 µs**, 2.00 × less (2.00–2.00) |")
    expect(toMarkdown(resultOf([2, 2, 3]))).toContain("| **3.00 µs**, 1.50 × more (1.50–1.50) |")
  })

  it("tells the cells in which the control is off by more than 5 %", () => {
    expect(disturbedCells(resultOf([2, 2.05, 1]))).toEqual([])
    expect(disturbedCells(resultOf([2, 2.2, 1]))).toEqual(["a cell"])
    expect(disturbedCells(resultOf([2, 1.8, 1]))).toEqual(["a cell"])
  })

  it("says what else was counted, where the cell has words for it", () => {
    const result = resultOf([2, 2, 1])
    const detail = (value: number, { grams = 0 }) => `${value} for ${grams} g`
    const cells = result.cells.map((it) => ({ ...it, cell: { ...it.cell, detail } }))
    expect(toMarkdown({ ...result, cells })).toContain("| **1.00 µs**, 2.00 × less (2.00–2.00); 1 for 10 g |")
  })

  it("draws everybody but the control, and marks ours", () => {
    const bars = toChart(resultOf([2, 2, 1])).groups.flatMap((group) => group.bars)
    expect(bars.map((it) => it.label)).toEqual(["ws", "holdfast"])
    expect(bars.map((it) => it.isOurs)).toEqual([false, true])
  })
})

describe("the bench's figures", () => {
  it("are medians between quartiles", () => {
    expect(spread([5, 1, 2, 4, 3])).toEqual({ median: 3, low: 2, high: 4 })
    expect(spread([1, 2])).toEqual({ median: 1.5, low: 1.25, high: 1.75 })
  })

  it("are what all but 1 in 100 are at most", () => {
    expect(p99(Array.from({ length: 101 }, (_, i) => 100 - i))).toBe(99)
  })

  it("become bars in proportion, with text that cannot break the file", () => {
    const bar = (value: number): Bar => ({ label: "a < b & c", value, note: "", isOurs: false })
    const svg = drawChart({ title: "t", subtitle: "s", groups: [{ title: "g", bars: [bar(2), bar(1)] }] })
    const [wide = 0, narrow = 0] = [...svg.matchAll(/<rect class="other".* width="([\d.]+)"/g)].map((it) =>
      Number(it[1]),
    )
    expect(wide).toBeCloseTo(2 * narrow)
    expect(svg).toContain("a &#60; b &#38; c")
  })
})
