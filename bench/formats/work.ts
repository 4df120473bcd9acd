/**
 * What every program about formats does besides handling frames: it takes orders, hands frames over as a socket would, one by
 * one, and refuses a result that is not the expected one. How frames are handled is the business of the file that calls `work`.
 */

import { takeOrders } from "../orders.js"

/** One way to spend a run of frames. */
export interface Task {
  /** What arrives. */
  readonly frames: readonly Buffer[]
  /** What it must come to. */
  readonly sum: number
  /** Handles one frame, and returns what it counts for. */
  readonly handle: (frame: Buffer) => number
}

/** What is to be done: a task by its name, so many runs. */
export interface Order {
  readonly task: string
  readonly runs: number
}

/** Puts tasks at the command of the process that started this one. Each is made at its first use. */
export async function work(tasks: Readonly<Record<string, () => Task>>): Promise<void> {
  const made = new Map<string, Task>()
  const taskOf = (name: string) => {
    const task = made.get(name) ?? tasks[name]?.()
    if (!task) throw new Error(`there is no task ${name}`)
    made.set(name, task)
    return task
  }
  await takeOrders(async () => ({
    run({ task, runs }: Order) {
      for (let i = 0; i < runs; i += 1) spend(taskOf(task))
      return true
    },
    /** Bytes of memory that a run takes before any of it is given back; garbage is collected before, not meanwhile. */
    async allocated({ task }: Order) {
      const one = taskOf(task)
      spend(one)
      // memory outside the heap is given back in the background
      for (let i = 0; i < 2; i += 1) {
        globalThis.gc?.()
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      const before = heldBytes()
      spend(one)
      return heldBytes() - before
    },
  }))
}

function spend({ frames, sum, handle }: Task): void {
  let total = 0
  for (const frame of frames) total += handle(frame)
  if (total !== sum) throw new Error(`a run came to ${total} where ${sum} was due`)
}

function heldBytes(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
