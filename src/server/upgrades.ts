/**
 * The one `upgrade` listener on an HTTP server, whatever the number of attachments: each path goes to the first that
 * knows it, and a path that nobody knows is refused only when nobody else listens.
 */

import type { IncomingMessage, Server } from "node:http"
import type { Duplex } from "node:stream"
import type { Clock } from "../core/timer.js"
import { HeadDeadline } from "./head-deadline.js"
import type { PathMatch } from "./path-pattern.js"
import { refuse } from "./refusal.js"
import { parseTarget } from "./request-target.js"

/** Takes upgrades of some paths. */
export interface UpgradeTaker {
  /** How long a socket of the server may take to send its first head, in milliseconds. The least of all counts. */
  readonly headTimeoutMs: number | false
  /** Where time comes from. */
  readonly clock: Clock
  /** Whether a path, without its query, is one of its own. */
  match(path: string): PathMatch
  /** Takes an upgrade over. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer, match: Exclude<PathMatch, undefined>): void
  /** A path that nobody knows was refused. Told to the taker that was added first. */
  unknown(request: IncomingMessage): void
}

const listeners = new WeakMap<Server, Upgrades>()

/** Takers of one server, in the order they were added. */
export class Upgrades {
  readonly #server: Server
  readonly #takers = new Set<UpgradeTaker>()
  #deadline: HeadDeadline | undefined

  private constructor(server: Server) {
    this.#server = server
  }

  /** The upgrades of a server. */
  static of(server: Server): Upgrades {
    const known = listeners.get(server)
    if (known) return known
    const upgrades = new Upgrades(server)
    listeners.set(server, upgrades)
    return upgrades
  }

  /** Begins to listen for a taker. Returns the end of it. */
  add(taker: UpgradeTaker): () => void {
    if (this.#takers.size === 0) this.#server.on("upgrade", this.#listener)
    this.#takers.add(taker)
    this.#watch()
    return () => {
      if (!this.#takers.delete(taker)) return
      this.#watch()
      if (this.#takers.size === 0) this.#server.off("upgrade", this.#listener)
    }
  }

  /** Watches the heads for the taker that is least patient. */
  #watch(): void {
    const before = this.#deadline
    before?.close()
    this.#deadline = undefined
    const [strictest] = [...this.#takers].sort((a, b) => patience(a) - patience(b))
    if (!strictest || strictest.headTimeoutMs === false) return
    this.#deadline = new HeadDeadline(this.#server, strictest.headTimeoutMs, strictest.clock, before)
  }

  readonly #listener = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    this.#deadline?.arrived(request)
    const { path } = parseTarget(request.url ?? "/")
    for (const taker of this.#takers) {
      const match = taker.match(path)
      if (match === undefined) continue
      guard(socket)
      taker.take(request, socket, head, match)
      return
    }
    if (this.#server.listenerCount("upgrade") > 1) return
    const [first] = this.#takers
    guard(socket)
    refuse(socket, { status: 404 }, first?.clock)
    first?.unknown(request)
  }
}

function patience({ headTimeoutMs }: UpgradeTaker): number {
  return headTimeoutMs === false ? Number.POSITIVE_INFINITY : headTimeoutMs
}

/** From `upgrade` until `ws` takes over nobody listens for `error`: a client's reset would end the process. */
function guard(socket: Duplex): void {
  socket.on("error", destroyIt)
}

/** One for all sockets: it stays on them for as long as they live. */
function destroyIt(this: Duplex): void {
  this.destroy()
}
