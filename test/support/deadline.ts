/**
 * Waits that end: a promise that has not settled in time rejects, with the name of what was waited for.
 */

/** How long a wait may take before it counts as failed, in milliseconds. */
const DEADLINE_MS = 10_000

/** The same promise, but rejected when it takes too long. */
export async function inTime<T>(promise: Promise<T>, what: string, ms = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms in vain for ${what}`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Looks at a condition after every turn of the event loop until it holds. Rejects when it takes too long. */
export async function until(holds: () => boolean, what: string, ms = DEADLINE_MS): Promise<void> {
  const end = performance.now() + ms
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited ${ms} ms in vain for ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
