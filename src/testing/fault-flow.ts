/**
 * One direction of a line: bytes from one socket to another, late, slowly, or not at all. It knows no line and no proxy.
 */

import type { Socket } from "node:net"
import { systemClock, Timer } from "../core/timer.js"

/** How bytes travel, in both directions and on every line. */
export interface FlowSettings {
  /** How long each byte is on its way, in milliseconds. */
  latencyMs: number
  /** How many bytes pass in a second, in each direction of each line; `false` for as many as there are. */
  bytesPerSecond: number | false
}

/** Whom a flow tells. */
export interface FlowOwner {
  /** So many bytes have passed. Returns how many more may pass before everything ends. */
  passed(bytes: number): number
  /** How many bytes may pass before everything ends. */
  readonly allowance: number
  /** As many bytes have passed as may. */
  exhausted(): void
}

/** A slow flow passes its bytes in pieces of so many milliseconds. */
const SLICE_MS = 20
/** How long the other side has to read what came before a reset, in milliseconds. */
const RESET_DELAY_MS = 20
/** Above so many bytes on their way, reading stops: the sender's kernel fills up, as it would. */
const MAX_HELD_BYTES = 1_048_576

/** Bytes on their way. */
export class FaultFlow {
  readonly #from: Socket
  readonly #to: Socket
  readonly #settings: FlowSettings
  readonly #owner: FlowOwner
  readonly #timer = new Timer(systemClock, () => this.#pump())
  #held: { readonly bytes: Uint8Array; readonly dueAt: number }[] = []
  #heldBytes = 0
  /** When the next byte may pass, of those of a slow flow. */
  #freeAt = 0
  #isStalled = false
  #isDead = false
  #isBusy = false
  /** When the end of the stream is due, once it has come. */
  #endAt: number | undefined

  constructor(from: Socket, to: Socket, settings: FlowSettings, owner: FlowOwner) {
    this.#from = from
    this.#to = to
    this.#settings = settings
    this.#owner = owner
    from.on("data", (bytes) => this.#take(bytes))
    from.on("end", () => {
      this.#endAt = systemClock.now() + settings.latencyMs
      this.#pump()
    })
    to.on("drain", () => {
      this.#isBusy = false
      this.#pump()
    })
  }

  /** From now on nothing passes; it waits. */
  stall(isStalled: boolean): void {
    this.#isStalled = isStalled
    this.#pump()
  }

  /** From now on everything is swallowed, the end included. */
  kill(): void {
    this.#isDead = true
    this.#held = []
    this.#heldBytes = 0
    this.#timer.stop()
    // read all the same: the sender must not notice
    this.#from.resume()
  }

  /** Ends the stream here, behind what is on its way. */
  end(): void {
    this.#endAt ??= 0
    this.#pump()
  }

  /** Nothing is left to do. */
  stop(): void {
    this.#isDead = true
    this.#timer.stop()
  }

  #take(bytes: Uint8Array): void {
    if (this.#isDead) return
    this.#held.push({ bytes, dueAt: systemClock.now() + this.#settings.latencyMs })
    this.#heldBytes += bytes.length
    this.#pump()
  }

  #pump(): void {
    while (this.#isFlowing && this.#passNext()) {
      // until there is nothing, or it is not yet time
    }
    if (this.#isDead) return
    if (this.#heldBytes > MAX_HELD_BYTES || this.#isStalled) this.#from.pause()
    else this.#from.resume()
  }

  get #isFlowing(): boolean {
    return !this.#isDead && !this.#isStalled && !this.#isBusy && this.#to.writable
  }

  /** Passes one piece on. Returns whether to go on. */
  #passNext(): boolean {
    const next = this.#held[0]
    const dueAt = Math.max(next?.dueAt ?? this.#endAt ?? Number.POSITIVE_INFINITY, this.#freeAt)
    if (dueAt === Number.POSITIVE_INFINITY) return false
    const waitMs = dueAt - systemClock.now()
    if (waitMs > 0) {
      this.#timer.start(waitMs)
      return false
    }
    if (next) this.#pass(next.bytes, next.dueAt)
    else {
      this.#to.end()
      this.#isDead = true
    }
    return true
  }

  #pass(bytes: Uint8Array, dueAt: number): void {
    const { bytesPerSecond } = this.#settings
    const slice = bytesPerSecond === false ? bytes.length : Math.ceil((bytesPerSecond * SLICE_MS) / 1_000)
    const piece = bytes.subarray(0, Math.min(slice, this.#owner.allowance))
    const rest = bytes.subarray(piece.length)
    if (rest.length > 0) this.#held[0] = { bytes: rest, dueAt }
    else this.#held.shift()
    this.#heldBytes -= piece.length
    if (bytesPerSecond !== false) this.#freeAt = systemClock.now() + (piece.length / bytesPerSecond) * 1_000
    this.#isBusy = !this.#to.write(piece)
    if (this.#owner.passed(piece.length) > 0) return
    this.#isDead = true
    // a reset takes with it what the other side has not read yet
    new Timer(systemClock, () => this.#owner.exhausted()).start(RESET_DELAY_MS)
  }
}
