/**
 * What a hub writes into the log about its connections: stable names of events, ids, numbers, and never a payload.
 */

import { isLevelOn, type Logger } from "../core/logger.js"
import type { Lag } from "../wire/backlog.js"
import type { CloseInfo } from "../wire/connection-events.js"
import type { Traffic } from "./hub-counters.js"

/** What is said of a connection. */
export interface LoggedConnection extends Readonly<Traffic> {
  /** Its name. */
  readonly id: string
  /** What its lines are found by. */
  readonly correlationId: string
  /** Whose it is. */
  readonly userId: string | undefined
  /** The address of its other end. */
  readonly remoteAddress: string | undefined
  /** The subprotocol that was agreed on. */
  readonly protocol: string
  /** When it was added, in milliseconds since 1970. */
  readonly connectedAt: number
}

/** Which connection a line is about. */
export function whose({ id, correlationId }: Pick<LoggedConnection, "id" | "correlationId">): {
  readonly connectionId: string
  readonly correlationId: string
} {
  return { connectionId: id, correlationId }
}

/** The lines of one hub. */
export class HubLog {
  readonly #logger: Logger
  readonly #now: () => number

  /** @param now - Milliseconds since 1970. */
  constructor(logger: Logger, now: () => number) {
    this.#logger = logger
    this.#now = now
  }

  /** A connection was added. */
  opened(connection: LoggedConnection): void {
    if (!isLevelOn(this.#logger, "info")) return
    const { remoteAddress, userId, protocol } = connection
    const fields = { ...whose(connection), remoteAddress, userId, ...(protocol && { protocol }) }
    this.#logger.info({ event: "connection.open", ...fields }, "connection open")
  }

  /** A connection has ended. */
  closed(connection: LoggedConnection, { code, cause, unsent }: CloseInfo): void {
    if (!isLevelOn(this.#logger, "info")) return
    const { messagesIn, messagesOut, bytesIn, bytesOut } = connection
    const traffic = { messagesIn, messagesOut, bytesIn, bytesOut, unsent: unsent.count }
    const durationMs = this.#now() - connection.connectedAt
    const fields = { ...whose(connection), code, cause, durationMs, ...traffic }
    this.#logger.info({ event: "connection.close", ...fields }, "connection closed")
  }

  /** A slow reader lost messages. */
  lagged(connection: LoggedConnection, { count, bytes }: Lag): void {
    if (!isLevelOn(this.#logger, "debug")) return
    this.#logger.debug({ event: "connection.lagged", ...whose(connection), count, bytes }, "messages lost")
  }

  /** A login ends soon. */
  expiring(connection: LoggedConnection, expiresAt: number): void {
    if (!isLevelOn(this.#logger, "debug")) return
    this.#logger.debug({ event: "connection.expiring", ...whose(connection), expiresAt }, "login expires")
  }
}
