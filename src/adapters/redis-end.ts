/**
 * How a connection to Redis opens and ends, whichever client library it is made with. It sends nothing.
 */

import type { RedisEvents } from "./redis-driver.js"

/** How long a connection may take to open, in milliseconds; the relay gives up before that. */
export const CONNECT_TIMEOUT_MS = 10_000

/** The end of a client: told once, unless it was meant. */
export class End {
  readonly #events: RedisEvents
  #isOver = false
  #error: unknown

  constructor(events: RedisEvents) {
    this.#events = events
  }

  /** Something went wrong; what it was is told at the end. */
  note(error: unknown): void {
    this.#error = error
  }

  /** It has ended. */
  come(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#events.down(this.#error ?? new Error("the connection to Redis ended"))
  }

  /** Ends it on purpose. */
  by(close: () => void): void {
    this.#isOver = true
    close()
  }
}

/** Watches a client until it ends. */
export function watchEnd(
  client: { on(event: string, listener: (...args: never[]) => void): unknown },
  events: RedisEvents,
): End {
  const end = new End(events)
  // without a listener, the error of a connection would end the process
  client.on("error", (error: unknown) => end.note(error))
  client.on("end", () => end.come())
  // what @redis/client says instead, when it may not reconnect
  client.on("terminated", (error: unknown) => {
    end.note(error)
    end.come()
  })
  return end
}

/** Waits until a client is open, and closes one that cannot be, or that nobody waits for any more. */
export async function opened(
  connecting: Promise<unknown>,
  close: () => void,
  end: End,
  signal: AbortSignal,
): Promise<void> {
  // a client that never opened may refuse to be closed
  const giveUp = () => end.by(() => attemptToClose(close))
  signal.addEventListener("abort", giveUp)
  if (signal.aborted) giveUp()
  try {
    await connecting
  } catch (error) {
    giveUp()
    throw error
  } finally {
    signal.removeEventListener("abort", giveUp)
  }
}

function attemptToClose(close: () => void): void {
  try {
    close()
  } catch {}
}
