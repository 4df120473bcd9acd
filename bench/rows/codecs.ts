/**
 * Messages that have arrived, in the memory of one process: what do a codec and a router take on top of parsing by hand?
 */

import { type CpuStage, cpuCell } from "../cpu.js"
import { RUN } from "../formats/frames.js"
import type { Cell, Contender, Row } from "../row.js"
import { sourceOf } from "../row.js"
import { versionOf } from "../version.js"

const RUNS = 5

const byHand: Contender = { name: "by-hand", title: "by hand", source: sourceOf("formats/by-hand") }

/** From the bytes of a frame to the handler of its message, and back where it is answered. */
export const codecs: Row<CpuStage> = {
  name: "codecs",
  title: "Codec and router",
  quantity: "CPU time for each message",
  unit: "µs",
  connections: () => 1,
  contenders: [
    byHand,
    { ...byHand, name: "by-hand-again", title: "by hand once more (control)", isControl: true },
    {
      name: "holdfast",
      title: "holdfast",
      version: `with zod ${versionOf("zod")}, msgpackr ${versionOf("msgpackr")}`,
      source: sourceOf("formats/holdfast"),
      isOurs: true,
    },
  ],
  cells: [
    handling("json", "JSON"),
    handling("answered", "JSON, answered"),
    handling("checked", "JSON, checked by zod"),
    handling("msgpack", "MessagePack"),
  ],
  async open({ start }) {
    const program = await start()
    return { program, close: () => program.stop() }
  },
}

function handling(task: string, title: string): Cell<CpuStage> {
  return cpuCell({
    name: task,
    title,
    rounds: 5,
    async run({ program }) {
      await program.ask("run", { task, runs: RUNS })
      return RUNS * RUN
    },
  })
}
