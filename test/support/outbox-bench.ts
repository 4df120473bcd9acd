/**
 * An outbox between a fake sink and an owner that keeps what it is told, on a clock that stands still.
 */

import type { Payload } from "../../src/core/types.js"
import { VirtualClock } from "../../src/testing/virtual-clock.js"
import type { Lag } from "../../src/wire/backlog.js"
import { BufferBudget } from "../../src/wire/buffer-budget.js"
import { DeflatingFrame } from "../../src/wire/deflating-frame.js"
import { Flusher } from "../../src/wire/flusher.js"
import type { Frame, FrameOptions } from "../../src/wire/frame.js"
import { Outbox } from "../../src/wire/outbox.js"
import { OUTBOX_DEFAULTS, type OutboxOptions, type OutboxOwner } from "../../src/wire/outbox-options.js"
import { FakeSink } from "./fake-sink.js"
import { frame } from "./frames.js"

/** Hears what an outbox tells its owner. */
export class RecordingOwner implements OutboxOwner {
  readonly lags: Lag[] = []
  overflows = 0
  stalls = 0
  overloads = 0
  /** Says what is put into the stream where messages were lost. */
  notice: ((lag: Lag) => string) | undefined
  /** Runs while the owner is told of lag. */
  onLag: (() => void) | undefined
  onOverflow: (() => void) | undefined
  onOverload: (() => void) | undefined

  overflowed(): void {
    this.overflows += 1
    this.onOverflow?.()
  }

  lagged(lag: Lag) {
    this.lags.push(lag)
    this.onLag?.()
    return this.notice && frame(this.notice(lag), { isNotice: true })
  }

  stalled(): void {
    this.stalls += 1
  }

  overloaded(): void {
    this.overloads += 1
    this.onOverload?.()
  }
}

/** Compresses what begins with `big`, when it is told to: into a tenth. */
export class HandDeflater {
  readonly #waiting: { readonly plain: Frame; readonly deflating: DeflatingFrame }[] = []

  /** How many messages are being compressed. */
  get waiting(): number {
    return this.#waiting.length
  }

  variantOf(plain: Frame): Frame {
    if (!String(plain.payload).startsWith("big")) return plain
    if (!plain.deflated) {
      const deflating = new DeflatingFrame(plain, plain.byteLength)
      plain.deflated = deflating
      this.#waiting.push({ plain, deflating })
    }
    return plain.deflated
  }

  /** Finishes the message that came in as the `index`th of those that wait. */
  finish(index = 0): void {
    const [job] = this.#waiting.splice(index % Math.max(1, this.#waiting.length), 1)
    if (!job) return
    const { plain, deflating } = job
    deflating.finish(plain.deflatedTo(new Uint8Array(plain.byteLength / 10), plain.byteLength))
  }
}

/** Whether a frame is marked as compressed. */
function isCompressed(frame: Frame): boolean {
  return ((frame.bytes[0] ?? 0) & 0x40) > 0
}

/** The messages of a sink, each with a mark where it went compressed. */
export function marked(sink: FakeSink): Payload[] {
  return sink.batches
    .flatMap((it) => it.frames())
    .map((it) => (isCompressed(it) ? `${it.payload} ~` : it.payload))
}

/** An outbox, everything around it, and short ways to work it. */
export function outboxBench(
  options: OutboxOptions & {
    markBytes?: number
    clock?: VirtualClock
    flusher?: Flusher
    deflater?: HandDeflater
    budget?: BufferBudget
  } = {},
) {
  const { markBytes, flusher, deflater, budget, clock = new VirtualClock(), ...limits } = options
  const sink = new FakeSink(markBytes)
  const owner = new RecordingOwner()
  const settings = {
    ...OUTBOX_DEFAULTS,
    ...limits,
    clock,
    flusher: flusher ?? new Flusher(clock),
    budget: budget ?? new BufferBudget(limits.maxTotalBufferedBytes ?? false),
  }
  const outbox = new Outbox(sink, settings, owner, deflater)
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
