/**
 * An outbox between a fake sink and an owner that keeps what it is told, on a clock that stands still.
 */

import { VirtualClock } from "../../src/testing/virtual-clock.js"
import type { Lag } from "../../src/wire/backlog.js"
import { Flusher } from "../../src/wire/flusher.js"
import type { FrameOptions } from "../../src/wire/frame.js"
import { OUTBOX_DEFAULTS, Outbox, type OutboxOptions, type OutboxOwner } from "../../src/wire/outbox.js"
import { FakeSink } from "./fake-sink.js"
import { frame } from "./frames.js"

/** Hears what an outbox tells its owner. */
export class RecordingOwner implements OutboxOwner {
  readonly lags: Lag[] = []
  overflows = 0
  stalls = 0
  /** Says what is put into the stream where messages were lost. */
  notice: ((lag: Lag) => string) | undefined
  /** Runs while the owner is told of lag. */
  onLag: (() => void) | undefined
  onOverflow: (() => void) | undefined

  overflowed(): void {
    this.overflows += 1
    this.onOverflow?.()
  }

  lagged(lag: Lag) {
    this.lags.push(lag)
    this.onLag?.()
    return this.notice && frame(this.notice(lag))
  }

  stalled(): void {
    this.stalls += 1
  }
}

/** An outbox, everything around it, and short ways to work it. */
export function outboxBench(options: OutboxOptions & { markBytes?: number; flusher?: Flusher } = {}) {
  const { markBytes, flusher, ...limits } = options
  const clock = new VirtualClock()
  const sink = new FakeSink(markBytes)
  const owner = new RecordingOwner()
  const settings = { ...OUTBOX_DEFAULTS, ...limits, clock, flusher: flusher ?? new Flusher(clock) }
  const outbox = new Outbox(sink, settings, owner)
  return {
    clock,
    sink,
    owner,
    outbox,
    send: (text: string, frameOptions?: FrameOptions) => outbox.send(frame(text, frameOptions)),
    /** Ends this turn of the event loop. */
    turn: () => clock.advance(0),
    /** Makes the sink full: the kernel takes nothing any more, and one message of so many bytes waits there. */
    async block(bytes = 100): Promise<void> {
      sink.stall()
      outbox.send(frame("-".repeat(bytes - (bytes < 128 ? 2 : 4))))
      await clock.advance(0)
      sink.writes.length = 0
    },
  }
}
