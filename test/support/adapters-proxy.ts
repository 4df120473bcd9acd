/**
 * A TCP line to a broker that a test can cut, freeze or slow down. It knows no protocol, and is ended by whoever made it.
 */

import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import { inTime } from "./deadline.js"

export class BrokerProxy {
  readonly #target: () => number
  readonly #server = createServer((near) => this.#accept(near))
  readonly #sockets = new Set<Socket>()
  /** Sockets that nothing passes through any more. */
  readonly #dead = new WeakSet<Socket>()
  /** Bytes that went from the broker to whoever is connected. */
  bytesBack = 0
  #isHole = false
  #latencyMs = 0

  private constructor(target: () => number) {
    this.#target = target
  }

  /** @param target - The broker's port; a function where it changes. */
  static async start(target: number | (() => number)): Promise<BrokerProxy> {
    const proxy = new BrokerProxy(typeof target === "number" ? () => target : target)
    const listening = new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve))
    await inTime(listening, "the proxy to listen")
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  blackHole(): void {
    this.#isHole = true
    for (const socket of this.#sockets) this.#dead.add(socket)
  }

  heal(): void {
    this.#isHole = false
  }

  slow(ms: number): void {
    this.#latencyMs = ms
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.cut()
    await inTime(closed, "the proxy to close")
  }

  #accept(near: Socket): void {
    const far = connect(this.#target(), "127.0.0.1")
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from)
      if (this.#isHole) this.#dead.add(from)
      from.setNoDelay()
      from.on("data", (bytes) => {
        if (from === far) this.bytesBack += bytes.length
        this.#pass(from, to, bytes)
      })
      from.on("error", () => {})
      from.on("close", () => {
        this.#sockets.delete(from)
        if (!this.#dead.has(from)) to.destroy()
      })
    }
  }

  #pass(from: Socket, to: Socket, bytes: Buffer): void {
    const write = () => {
      if (!this.#dead.has(from) && to.writable) to.write(bytes)
    }
    if (this.#latencyMs > 0) setTimeout(write, this.#latencyMs)
    else write()
  }
}
