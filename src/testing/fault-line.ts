/**
 * Both ends of one forwarded connection, and what flows between them. It knows no proxy; what it may do it is told.
 */

import type { Socket } from "node:net"
import { FaultFlow, type FlowSettings } from "./fault-flow.js"

/** A direction of a line: `up` is towards the target, `down` is back. */
export type FaultDirection = "up" | "down"

/** Both directions. */
export const DIRECTIONS = ["up", "down"] as const

/** What every line of a proxy goes by. */
export interface LineParts {
  readonly settings: FlowSettings
  readonly stalled: ReadonlySet<FaultDirection>
  /** Bytes have passed. Returns how many more may, in this direction. */
  readonly passed: (direction: FaultDirection, bytes: number) => number
  readonly allowance: (direction: FaultDirection) => number
  readonly ended: (line: FaultLine) => void
}

/** One forwarded connection. */
export class FaultLine {
  readonly #near: Socket
  readonly #far: Socket | undefined
  readonly #flows: Readonly<Partial<Record<FaultDirection, FaultFlow>>>
  readonly #parts: LineParts
  /** Whether bytes pass, or wait to. */
  isLive = true
  /** How many of its ends are not closed. */
  #open: number

  /** @param far - The other end; without one the connection leads nowhere. */
  constructor(near: Socket, far: Socket | undefined, parts: LineParts) {
    this.#near = near
    this.#far = far
    this.#parts = parts
    this.#flows = far ? { up: this.#flow("up", near, far), down: this.#flow("down", far, near) } : {}
    this.#open = far ? 2 : 1
    if (!far) this.kill()
    for (const socket of [near, far]) {
      // a refused or reset end is an end like any other
      socket?.on("error", () => {})
      socket?.on("close", (hadError) => this.#closed(hadError))
    }
  }

  flow(direction: FaultDirection): FaultFlow | undefined {
    return this.#flows[direction]
  }

  /** Lets nothing pass any more, without a sign to either end. */
  kill(): void {
    this.isLive = false
    for (const direction of DIRECTIONS) this.#flows[direction]?.kill()
    this.#near.resume()
  }

  /** Ends both ends with a reset. */
  reset(): void {
    this.isLive = false
    for (const direction of DIRECTIONS) this.#flows[direction]?.stop()
    for (const socket of [this.#near, this.#far]) if (socket) resetSocket(socket)
  }

  #flow(direction: FaultDirection, from: Socket, to: Socket): FaultFlow {
    const { settings, stalled, passed, allowance } = this.#parts
    const flow = new FaultFlow(from, to, settings, {
      passed: (bytes) => passed(direction, bytes),
      get allowance() {
        return allowance(direction)
      },
      exhausted: () => this.reset(),
    })
    if (stalled.has(direction)) flow.stall(true)
    return flow
  }

  #closed(hadError: boolean): void {
    this.#open -= 1
    // what happens at one end of a dead line is not heard at the other
    if (this.isLive && hadError) this.reset()
    if (this.#open === 0) this.#parts.ended(this)
  }
}

/**
 * Ends a socket with a reset, and with nothing before it: left to itself Node would first write what waits, and then a
 * FIN, which the other side could take for the end.
 */
function resetSocket(socket: Socket): void {
  if (socket.destroyed) return
  const isEnding = socket.writableEnded && !socket.writableFinished
  if (socket.connecting || isEnding) {
    socket.destroy()
    return
  }
  socket.destroySoon = () => void socket.destroy()
  socket.resetAndDestroy()
}
