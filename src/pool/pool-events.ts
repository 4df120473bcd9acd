/**
 * What a pool tells about itself. Numbers of the moment (`size`, `idle`, `leased`, `waiting`) are the pool's own.
 */

import type { ErrorEvent } from "../core/emitter.js"
import type { CloseInfo } from "../wire/connection-events.js"

/** A connection of a pool has ended. */
export interface PoolClose extends CloseInfo {
  /** The connection's `id`, the same for every lease of it. */
  readonly id: string
  /** Whether somebody had leased it. */
  readonly wasLeased: boolean
}

/** The events of a pool. */
export interface PoolEvents {
  /** A connection was opened, and is ready to be leased. */
  open: {
    /** The connection's `id`, the same for every lease of it. */
    readonly id: string
  }
  /** A connection has ended, whoever ended it. */
  close: PoolClose
  /**
   * Something failed that no `acquire` was told of. Stages: `connect`, a dial that nobody waited for any more;
   * `validate`, the hook threw; `listener`.
   */
  error: ErrorEvent
}
