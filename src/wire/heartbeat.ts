/**
 * Finds dead peers, one or thousands, with one timer. It decides when to ask {@link Pulse} about whom;
 * what a ping is and how a peer ends is the peer's own business.
 *
 * Peers sit in the slots of a wheel by the time they are next looked at. A slot takes only its share of pings, and a
 * peer that finds it full is looked at a little earlier instead: pings spread evenly even when everybody fell silent
 * at the same moment.
 */

import { defaultLogger } from "../core/logger.js"
import type { Given } from "../core/options.js"
import { type Clock, systemClock, Timer } from "../core/timer.js"
import type { Unsubscribe } from "../core/types.js"
import { type HeartbeatOptions, type HeartbeatSettings, Pulse, resolveHeartbeat } from "./pulse.js"
import { listen, OPEN, type SocketLike, terminate } from "./socket.js"

/** Whom a heartbeat watches. A `Connection` is one; {@link Heartbeat.watchSocket} makes one of a bare socket. */
export interface HeartbeatPeer {
  /** Whether reading is paused. A peer that is not read cannot be heard, so it is not judged. */
  readonly isReadingPaused: boolean
  /** Hands over the pulse that inbound frames and pongs are to be reported to; `undefined` when the watch ends. */
  takePulse(pulse: Pulse | undefined): void
  /** Sends a ping that carries `payload`. */
  ping(payload: string): void
  /** No answer came in time. Called once, after which the peer is not watched any more. */
  timedOut(): void
}

/** How many slots an interval has. More make a finer spread and more wake-ups. */
const SLOTS_PER_INTERVAL = 60
/** A slot takes up to this multiple of an even share of the pings. */
const SHARE = 1.5
/**
 * The part of an interval after which a ping is looked at again. Whoever has answered by then gets his place for the
 * next ping while two thirds of the wheel lie ahead, which cannot all be full; whoever has not has until `timeoutMs`.
 */
const ANSWER_SHARE = 1 / 3
/** A tick that comes after this many ticks instead of one is late: the process was stalled. */
const LATE_TICKS = 4
/** So is one that comes later by this part of `timeoutMs`, where that is less. */
const LATE_SHARE = 0.25

interface Watch {
  readonly peer: HeartbeatPeer
  readonly pulse: Pulse
  slot: Slot
  /** When the peer had last been heard as it was put in its slot. */
  silentSince: number
}

type Slot = Set<Watch>

/** Where a watch is until it is placed. Nothing is put there. */
const NOWHERE: Slot = new Set()

/**
 * Watches peers and ends those that fall silent: a ping after `intervalMs` of silence, the end `timeoutMs` after it.
 * With the defaults a dead peer is found within 26 seconds. Costs no timer while nobody is watched.
 *
 * @example
 * const heartbeat = new Heartbeat({ intervalMs: 5_000, timeoutMs: 10_000 })
 * server.on("connection", (socket) => heartbeat.watchSocket(socket))
 */
export class Heartbeat {
  readonly #settings: HeartbeatSettings
  readonly #clock: Clock
  readonly #timer: Timer
  readonly #tickMs: number
  readonly #lateMs: number
  readonly #watches = new Map<HeartbeatPeer, Watch>()
  /** Slot `i` holds whoever is to be pinged in tick `i`, modulo the length, unless heard until then. */
  readonly #pingSlots: Slot[]
  /** Slot `i` holds whoever should have answered by tick `i`, modulo the length. */
  readonly #answerSlots: Slot[]
  #tick = 0
  #tickedAt = 0

  /** @throws InvalidOptionError with the value received. */
  constructor(options?: Given<HeartbeatOptions>, clock: Clock = systemClock) {
    this.#settings = resolveHeartbeat(options)
    this.#clock = clock
    this.#timer = new Timer(clock, () => this.#turn())
    const { intervalMs, timeoutMs } = this.#settings
    this.#tickMs = Math.max(1, intervalMs / SLOTS_PER_INTERVAL)
    this.#lateMs = this.#tickMs + Math.min(this.#tickMs * (LATE_TICKS - 1), timeoutMs * LATE_SHARE)
    this.#pingSlots = slots(intervalMs / this.#tickMs)
    this.#answerSlots = slots(timeoutMs / this.#tickMs)
  }

  /** How many peers are watched. */
  get size(): number {
    return this.#watches.size
  }

  /** Starts to watch a peer. One that is watched already keeps its watch. Returns the end of the watch. */
  watch(peer: HeartbeatPeer): Unsubscribe {
    if (!this.#watches.has(peer)) this.#begin(peer)
    return () => this.unwatch(peer)
  }

  /** Ends a watch, if there is one. */
  unwatch(peer: HeartbeatPeer): void {
    const watch = this.#watches.get(peer)
    if (!watch) return
    this.#watches.delete(peer)
    watch.slot.delete(watch)
    peer.takePulse(undefined)
    if (this.#watches.size === 0) this.#timer.stop()
  }

  /**
   * Watches a bare socket that can ping: any socket of the `ws` package, on either side. A silent one is terminated;
   * `onDead` is called first. The watch ends with the socket.
   */
  watchSocket(socket: SocketLike, onDead?: () => void): Unsubscribe {
    const peer = new SocketPeer(socket, this.#clock, onDead)
    const unwatch = this.watch(peer)
    const stop = () => {
      unwatch()
      unlisten()
    }
    const unlisten = listen(socket, peer.events(stop))
    return stop
  }

  #begin(peer: HeartbeatPeer): void {
    const now = this.#clock.now()
    if (this.#watches.size === 0) this.#start(now)
    const pulse = new Pulse(this.#settings, now)
    const watch: Watch = { peer, pulse, slot: NOWHERE, silentSince: now }
    this.#watches.set(peer, watch)
    // there is always room somewhere in a whole interval: its slots take half as many again as there are peers
    this.#placePing(watch, this.#settings.intervalMs)
    peer.takePulse(pulse)
  }

  #start(now: number): void {
    this.#tickedAt = now
    this.#timer.start(this.#tickMs)
  }

  /**
   * Puts a watch where it is looked at `waitMs` from now, or earlier where that slot has its share already.
   * Returns whether there was room in any.
   */
  #placePing(watch: Watch, waitMs: number): boolean {
    const { intervalMs } = this.#settings
    const share = Math.ceil((SHARE * this.#watches.size * this.#tickMs) / intervalMs)
    let ahead = this.#ticks(waitMs, this.#pingSlots)
    while (ahead > 0 && this.#at(this.#pingSlots, ahead).size >= share) ahead -= 1
    if (ahead === 0) return false
    watch.silentSince = watch.pulse.seenAt
    this.#put(watch, this.#at(this.#pingSlots, ahead))
    return true
  }

  #placeAnswer(watch: Watch, waitMs: number): void {
    this.#put(watch, this.#at(this.#answerSlots, this.#ticks(waitMs, this.#answerSlots)))
  }

  #put(watch: Watch, slot: Slot): void {
    watch.slot = slot
    slot.add(watch)
  }

  #ticks(waitMs: number, slots: Slot[]): number {
    return Math.min(slots.length - 1, Math.max(1, Math.ceil(waitMs / this.#tickMs)))
  }

  #at(slots: Slot[], ahead: number): Slot {
    return slots[(this.#tick + ahead) % slots.length] as Slot
  }

  #turn(): void {
    const now = this.#clock.now()
    const isLate = now - this.#tickedAt > this.#lateMs
    this.#tick += 1
    this.#start(now)
    for (const slot of [this.#at(this.#answerSlots, 0), this.#at(this.#pingSlots, 0)]) {
      const due = [...slot]
      slot.clear()
      // the end of one peer may end the watch of another
      for (const watch of due) if (this.#watches.get(watch.peer) === watch) this.#look(watch, now, isLate)
    }
  }

  #look(watch: Watch, now: number, isLate: boolean): void {
    if (watch.peer.isReadingPaused) watch.pulse.seen(now)
    const verdict = watch.pulse.check(now, isLate, watch.silentSince)
    if (verdict === "dead") this.#end(watch)
    else if (verdict === "ping") this.#ping(watch, now)
    else if (watch.pulse.isAwaiting) this.#placeAnswer(watch, verdict)
    // a full wheel lets nobody wait: pinged now, they are no more than this slot's share
    else if (!this.#placePing(watch, verdict)) this.#ping(watch, now)
  }

  #ping(watch: Watch, now: number): void {
    // placed first: a peer may end inside its own ping
    const { intervalMs, timeoutMs } = this.#settings
    this.#placeAnswer(watch, Math.min(timeoutMs, intervalMs * ANSWER_SHARE))
    watch.peer.ping(watch.pulse.pinged(now))
  }

  #end(watch: Watch): void {
    this.unwatch(watch.peer)
    watch.peer.timedOut()
  }
}

function slots(count: number): Slot[] {
  return Array.from({ length: Math.ceil(count) + 2 }, () => new Set<Watch>())
}

/** Makes a peer of a bare socket. */
class SocketPeer implements HeartbeatPeer {
  readonly isReadingPaused = false
  readonly #socket: SocketLike
  readonly #clock: Clock
  readonly #onDead: (() => void) | undefined
  #pulse: Pulse | undefined

  constructor(socket: SocketLike, clock: Clock, onDead?: () => void) {
    this.#socket = socket
    this.#clock = clock
    this.#onDead = onDead
  }

  takePulse(pulse: Pulse | undefined): void {
    this.#pulse = pulse
  }

  ping(payload: string): void {
    // a socket that is still connecting would throw
    if (this.#socket.readyState === OPEN) this.#socket.ping?.(payload)
  }

  timedOut(): void {
    try {
      this.#onDead?.()
    } catch (error) {
      defaultLogger.error({ err: error, stage: "listener" }, "onDead of a heartbeat threw")
    }
    terminate(this.#socket)
  }

  events(onClose: () => void) {
    const seen = () => this.#pulse?.seen(this.#clock.now())
    return {
      message: seen,
      ping: seen,
      pong: (payload: string) => this.#pulse?.answered(this.#clock.now(), payload),
      error: () => {},
      close: onClose,
    }
  }
}
