/**
 * What the server tells a dashboard. JSON in text frames; a dashboard says nothing.
 */

/** One look at a shop: numbered, so that a page knows which it has not got. */
export interface Sample {
  readonly n: number
  /** When, in milliseconds since 1970. */
  readonly at: number
  /** Orders in a minute. */
  readonly orders: number
  /** How long the slowest of a hundred takes, in milliseconds. */
  readonly latency: number
}

/** From the server: what was, once, and then what is. */
export type FromServer =
  | { readonly type: "history"; readonly samples: readonly Sample[] }
  | { readonly type: "sample"; readonly sample: Sample }
