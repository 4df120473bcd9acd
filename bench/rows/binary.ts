/**
 * Packets that have arrived, in the memory of one process: what does the decoder of `lengthPrefixed()` take beside a loop
 * written by hand, in time and in memory?
 */

import { type CpuStage, cpuCell } from "../cpu.js"
import { bytesEach, TRAFFIC } from "../formats/packets.js"
import type { Cell, Contender, Row } from "../row.js"
import { sourceOf } from "../row.js"

const RUNS = 10
const byHand: Contender = { name: "by-hand", title: "by hand", source: sourceOf("formats/packets-by-hand") }

/** So much room for what is new that nothing is collected while a run is looked at. */
const NODE_OPTIONS = ["--expose-gc", "--max-semi-space-size=64", "--min-semi-space-size=64"]

/** From the bytes of a frame to a handler of its packets. */
export const binary: Row<CpuStage> = {
  name: "binary",
  title: "Packets in binary frames",
  quantity:
    "CPU time for each packet, with megabytes decoded in a second of it, and bytes of memory for each packet",
  unit: "µs",
  connections: () => 1,
  contenders: [
    byHand,
    { ...byHand, name: "by-hand-again", title: "by hand once more (control)", isControl: true },
    { name: "holdfast", title: "holdfast", source: sourceOf("formats/packets-holdfast"), isOurs: true },
  ],
  cells: [
    decoding("small", "16 bytes, 100 in a frame"),
    decoding("large", "1 KiB, 16 in a frame"),
    decoding("split", "1 KiB, split over frames of 700 bytes"),
  ],
  async open({ start }) {
    const program = await start([], NODE_OPTIONS)
    return { program, close: () => program.stop() }
  },
}

function decoding(task: keyof typeof TRAFFIC, title: string): Cell<CpuStage> {
  const traffic = TRAFFIC[task]
  const timed = cpuCell<CpuStage>({
    name: task,
    title,
    rounds: 5,
    async run({ program }) {
      await program.ask("run", { task, runs: RUNS })
      return RUNS * traffic.packets
    },
  })
  return {
    ...timed,
    async round(stage, ms) {
      const round = await timed.round(stage, ms)
      const allocated = await stage.program.ask<number>("allocated", { task })
      return { ...round, extra: { allocated: allocated / traffic.packets } }
    },
    detail(cost, { allocated = 0 }) {
      const megabytes = Math.round(bytesEach(traffic) / cost)
      return `${megabytes.toLocaleString("en")} MB/s, ${Math.round(allocated)} B each`
    },
  }
}
