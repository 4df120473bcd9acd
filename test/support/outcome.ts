/** What a promise came to: nothing while it is open, then `resolved` or the code of its error. */
export function outcomeOf(promise: Promise<unknown>): { is?: unknown } {
  const outcome: { is?: unknown } = {}
  promise.then(
    () => {
      outcome.is = "resolved"
    },
    (error: { code?: unknown }) => {
      outcome.is = error.code
    },
  )
  return outcome
}
