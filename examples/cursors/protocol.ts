/**
 * What a board and its people say to each other. JSON in text frames. Places are parts of the board, from 0 to 1.
 */

import type { PresenceChange, PresenceSnapshot } from "holdfast"

/** How one of the people is seen. */
export interface Look {
  readonly name: string
  /** In degrees. */
  readonly hue: number
  /** Where the pointer is; nowhere before it has moved. */
  readonly at?: { readonly x: number; readonly y: number }
}

/** From a page. */
export type FromClient =
  | { readonly type: "move"; readonly x: number; readonly y: number }
  | { readonly type: "name"; readonly name: string }
  /** Asks for everybody anew: a change did not come. */
  | { readonly type: "sync" }
  | { readonly type: "wave" }

/** From the server. */
export type FromServer =
  | { readonly type: "you"; readonly key: string }
  | ({ readonly type: "present" } & PresenceSnapshot<Look>)
  | ({ readonly type: "presence" } & PresenceChange<Look>)
  | { readonly type: "waved"; readonly key: string }
  | { readonly type: "error"; readonly code: string; readonly message: string }

/** How long a name may be, in characters. */
export const NAME_CHARS = 24
