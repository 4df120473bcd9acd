/**
 * What a counting house and those who have something to count say to each other. JSON in text frames.
 */

/** From a client. */
export type Question = { readonly type: "count"; readonly text: string }

/** From the server. */
export type Answer =
  | { readonly type: "welcome"; readonly desk: number }
  | { readonly type: "counted"; readonly words: number }
