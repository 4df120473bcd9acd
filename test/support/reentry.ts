/**
 * Calls back into what is being tested from within its callbacks: a list of things to do, each at a later callback than
 * the one before, and never one inside another.
 */

/** Something that is done inside a callback. */
export interface Inside<Kind extends string> {
  readonly kind: Kind
  /** What it is done with: a number that the test makes a choice of. */
  readonly pick: number
  /** How many callbacks pass before it. */
  readonly gap: number
}

/**
 * Returns what every callback has to call: it does the next thing of the list when it is time, but nothing that is left out
 * in that callback.
 */
export function reentry<Kind extends string>(
  list: readonly Inside<Kind>[],
  act: (kind: Kind, pick: number) => unknown,
): (isLeftOut?: (kind: Kind) => boolean) => void {
  const left = [...list]
  let gap = list[0]?.gap ?? 0
  let isInside = false
  return (isLeftOut) => {
    const [next] = left
    if (!next || isInside || isLeftOut?.(next.kind)) return
    gap -= 1
    if (gap >= 0) return
    left.shift()
    gap = left[0]?.gap ?? 0
    isInside = true
    act(next.kind, next.pick)
    isInside = false
  }
}
