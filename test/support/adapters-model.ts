/**
 * A town of adapters on one broker in memory, in virtual time: nodes come, speak, fall silent, crash and come back, and the
 * broker fails in every way it can. It knows what everybody said and heard, and judges it.
 */

import { LoopbackNetwork, VirtualClock } from "holdfast/testing"
import { Ledger } from "../../bench/chaos/ledger.js"
import { AdapterNode } from "./adapters-node.js"

/** What can happen. A step picks whom and where it happens. */
export const MODEL_STEPS = [
  "publish",
  "publish",
  "publish",
  "publish",
  "burst",
  "advance",
  "advance",
  "advance far",
  "start",
  "crash",
  "close",
  "return",
  "toggle",
  "cut",
  "kill",
  "restart",
  "hang",
  "resume",
  "black hole",
  "heal",
  "slow",
  "lose",
  "repeat",
  "deafen",
  "give up",
] as const

/** One step. */
export interface ModelStep {
  readonly kind: (typeof MODEL_STEPS)[number]
  readonly pick: number
}

/** Heard by everybody who stays. */
const STEADY = ["s0", "s1"]

/** Heard by those who like to, for as long as they like to. */
const FLEETING = "f"

const ROOMS = [...STEADY, FLEETING]

/** A subscription is so much older than a stream, in milliseconds, before the stream's beginning counts as missed. */
const MARGIN_MS = 1_500

/** Nodes at the same time, at most. */
const MAX_NODES = 4

/** One stay of a node. Another stay of the same node is somebody else to the checker. */
class Resident {
  readonly name: string
  readonly node: AdapterNode
  readonly startedAt: number
  readyAt = Number.POSITIVE_INFINITY
  /** When it has published, by room. */
  readonly said = new Map<string, number[]>()
  wantsFleeting = false
  isAlive = true
  readonly #from: { readonly messages: number; readonly gaps: number }

  constructor(name: string, node: AdapterNode, startedAt: number) {
    this.name = name
    this.node = node
    this.startedAt = startedAt
    this.#from = { messages: node.messages.length, gaps: node.gaps.length }
  }

  /** What it has heard in this stay. A message says who published it, and its number. */
  get ledger(): Ledger {
    const ledger = new Ledger()
    for (const { payload } of this.node.messages.slice(this.#from.messages)) ledger.take(String(payload))
    for (const { channels, count = 0 } of this.node.gaps.slice(this.#from.gaps)) {
      if (channels !== "all") for (const channel of channels) ledger.tell(channel, count)
    }
    return ledger
  }
}

/** What was found: nothing, when all is well. */
export class AdapterModel {
  readonly clock = new VirtualClock()
  readonly network = new LoopbackNetwork({ clock: this.clock })
  /** What does not hold, in words. */
  readonly faults: string[] = []
  readonly #present: Resident[] = []
  readonly #residents: Resident[] = []
  readonly #absent: AdapterNode[] = []
  #open = 0
  #hasLost = false

  /** Does one step. */
  async step({ kind, pick }: ModelStep): Promise<void> {
    const { network, clock } = this
    const resident = this.#present[pick % Math.max(1, this.#present.length)]
    if (kind === "advance") await clock.advance(pick % 500)
    else if (kind === "advance far") await clock.advance(3 * (pick % 1_000))
    else if (kind === "start") this.#arrive(new AdapterNode(network.adapter()))
    else if (kind === "return") this.#return()
    else if (kind === "cut") network.cut()
    else if (kind === "kill") network.kill()
    else if (kind === "restart") network.restart()
    else if (kind === "hang") network.hang()
    else if (kind === "resume") network.resume()
    else if (kind === "black hole") network.blackHole()
    else if (kind === "heal") network.heal()
    else if (kind === "slow") network.slow([0, 0, 1, 40, 300][pick % 5] as number)
    else if (kind === "lose") this.#lose(pick % 5)
    else if (kind === "repeat") network.repeat(pick % 5)
    else if (kind === "deafen") network.deafen()
    else if (kind === "give up") network.giveUp("so be it")
    else if (resident && kind === "publish") this.#publish(resident, pick)
    else if (resident && kind === "burst") for (let i = 0; i < 40; i += 1) this.#publish(resident, pick)
    else if (resident && kind === "toggle") this.#toggle(resident)
    else if (resident && kind === "crash") this.#leave(resident, 0)
    else if (resident && kind === "close") this.#leave(resident, 500)
  }

  /** Mends the broker, lets everybody find out what was lost, and judges. Then ends everybody. */
  async end(): Promise<void> {
    this.network.slow(0)
    this.network.lose(0)
    this.network.repeat(0)
    this.network.heal()
    this.network.resume()
    this.network.restart()
    await this.clock.advance(30_000)
    if (this.#hasLost) await this.#haveLastWords()
    this.#judge()
    for (const it of [...this.#present]) this.#leave(it, 0)
    await this.clock.advance(10_000)
    if (this.#open > 0) this.faults.push(`${this.#open} promises never settled`)
    if (this.clock.pending > 0) this.faults.push(`${this.clock.pending} timers are left`)
    if (this.network.size > 0) this.faults.push(`${this.network.size} links are left`)
  }

  #lose(count: number): void {
    this.#hasLost ||= count > 0
    this.network.lose(count)
  }

  /** The end of a stream is told twice. Where both were lost, the next message tells. */
  async #haveLastWords(): Promise<void> {
    for (const it of this.#present) {
      for (const room of it.said.keys()) this.#publish(it, ROOMS.indexOf(room))
    }
    await this.clock.advance(10_000)
  }

  #arrive(node: AdapterNode): void {
    if (this.#present.length >= MAX_NODES) return
    const resident = new Resident(`stay-${this.#residents.length + 1}`, node, this.clock.now())
    this.#present.push(resident)
    this.#residents.push(resident)
    this.#watch(node.connect())
    const confirmed = this.#watch(node.adapter.subscribe(STEADY))
    confirmed.then(
      () => {
        resident.readyAt = this.clock.now()
      },
      () => {},
    )
  }

  #return(): void {
    const node = this.#absent.shift()
    if (node) this.#arrive(node)
  }

  #leave(resident: Resident, deadlineMs: number): void {
    this.#present.splice(this.#present.indexOf(resident), 1)
    resident.isAlive = false
    this.#watch(resident.node.adapter.close({ deadlineMs }))
    this.#absent.push(resident.node)
  }

  #toggle(resident: Resident): void {
    const { adapter } = resident.node
    resident.wantsFleeting = !resident.wantsFleeting
    this.#watch(resident.wantsFleeting ? adapter.subscribe([FLEETING]) : adapter.unsubscribe([FLEETING]))
  }

  #publish({ node, name, said }: Resident, pick: number): void {
    const room = ROOMS[pick % 3] as string
    const times = said.get(room) ?? []
    times.push(this.clock.now())
    said.set(room, times)
    this.#watch(node.publish(room, `entry ${room} ${name} ${times.length}`))
  }

  /** Every promise has to settle; how is the business of others. */
  #watch(work: unknown): Promise<void> {
    this.#open += 1
    const settling = Promise.resolve(work).then(() => {})
    const note = () => {
      this.#open -= 1
    }
    settling.then(note, note)
    return settling
  }

  #judge(): void {
    for (const resident of this.#present) {
      const { ledger, name } = resident
      if (ledger.heard.some((it) => it.publisher === name)) this.faults.push(`${name} heard itself`)
      if (ledger.doubled + ledger.misordered > 0) this.faults.push(`${name} heard something twice or late`)
      const { state } = resident.node.adapter.health()
      if (state !== "up") this.faults.push(`${name} is ${state}`)
      for (const room of STEADY) {
        const { least, most } = this.#losses(resident, ledger, room)
        const told = ledger.told(room)
        if (told < least) this.faults.push(`${name} lost ${least} of ${room} and was told of ${told}`)
        if (told > most) this.faults.push(`${name} lost ${most} of ${room} and was told of ${told}`)
      }
    }
  }

  /** How many messages of a room a resident must have been told of, at least and at most. */
  #losses(
    resident: Resident,
    ledger: Ledger,
    room: string,
  ): { readonly least: number; readonly most: number } {
    const losses = { least: 0, most: 0 }
    for (const { name, isAlive, said } of this.#residents.filter((it) => it !== resident)) {
      const times = said.get(room) ?? []
      const heard = ledger.heard.find((it) => it.room === room && it.publisher === name)
      const missing = (from: number, to: number) => to - from + 1 - (heard?.received ?? 0)
      const wasThere = (times[0] ?? 0) > resident.readyAt + MARGIN_MS
      // the dead tell nobody where they ended, and only who was there in time knows where a stream began
      if (wasThere && isAlive) losses.least += missing(1, times.length)
      else if (heard) losses.least += missing(heard.first, isAlive ? times.length : heard.last)
      const before = times.filter((it) => it < resident.startedAt).length
      losses.most += missing(Math.min(before, (heard?.first ?? before + 1) - 1) + 1, times.length)
    }
    return losses
  }
}
