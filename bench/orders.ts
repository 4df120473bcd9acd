/**
 * How the process that measures and a program that is measured talk: orders one way, answers the other. It knows nothing
 * of what is ordered.
 */

/** What a program is told to do. */
export interface Order {
  readonly do: string
  readonly argument: unknown
}

/** What a program says: that it runs, that it cannot do what it was started for, or the answer to an order. */
export type Saying =
  | { readonly ready: true }
  | { readonly cannot: string }
  | { readonly to: string; readonly answer: unknown }

/** What a program has used. */
export interface Usage {
  /** CPU time of the whole process since it started, user and system, in microseconds. */
  readonly cpuMicros: number
  /** The memory that is resident, in bytes. */
  readonly residentBytes: number
}

/** Thrown by a program that cannot do what it was started for; the bench goes on without it. */
export class CannotDo extends Error {}

/**
 * Makes this process do what it is told, until the one that started it is gone. Whatever an order returns is its answer.
 * Each program can say what it has used.
 */
export async function takeOrders(
  start: () => Promise<Record<string, (argument: never) => unknown>>,
): Promise<void> {
  try {
    const own = await start()
    const orders: typeof own = { ...own, usage }
    process.on("message", async ({ do: to, argument }: Order) => {
      const answer = await orders[to]?.(argument as never)
      if (answer !== undefined) say({ to, answer })
    })
    say({ ready: true })
  } catch (error) {
    if (!(error instanceof CannotDo)) throw error
    say({ cannot: error.message })
  }
  process.on("disconnect", () => process.exit())
}

function usage(isAfterGarbage: boolean): Usage {
  if (isAfterGarbage) collectGarbage()
  const { user, system } = process.cpuUsage()
  return { cpuMicros: user + system, residentBytes: process.memoryUsage.rss() }
}

/** As Bun does it, or Node with `--expose-gc`. */
function collectGarbage(): void {
  const { Bun, gc } = globalThis as { Bun?: { gc(isAtOnce: boolean): void }; gc?: () => void }
  if (Bun) Bun.gc(true)
  else gc?.()
}

function say(what: Saying): void {
  process.send?.(what)
}
