/**
 * A TCP line that a test can break: it forwards bytes to a port until it is told to cut, freeze or swallow them. It
 * knows no WebSocket.
 */

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"
import { onTestFinished } from "vitest"
import { inTime } from "./deadline.js"

/** Both ends of one forwarded connection. */
interface Line {
  readonly near: Socket
  readonly far: Socket | undefined
}

/** A proxy on a free port of 127.0.0.1. */
export class ClientProxy {
  readonly #target: number
  readonly #server: Server
  readonly #lines = new Set<Line>()
  /** Frozen lines: their sockets stay open, and nothing passes any more. */
  readonly #frozen = new Set<Line>()
  #isHole = false

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer((near) => this.#accept(near))
  }

  /** Starts a proxy for that port, which ends with the test. */
  static async start(target: number): Promise<ClientProxy> {
    const proxy = new ClientProxy(target)
    const listening = new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve))
    await inTime(listening, "the proxy to listen")
    onTestFinished(() => proxy.#stop())
    return proxy
  }

  /** Where to dial instead. */
  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** How many lines let bytes pass. */
  get size(): number {
    return this.#lines.size
  }

  /** How many lines are open but dead. */
  get frozen(): number {
    return this.#frozen.size
  }

  /** Resets every line that lets bytes pass. What is on its way is lost. */
  cut(): void {
    for (const line of this.#lines) this.#drop(line)
  }

  /** Lets nothing pass on the lines there are, without a sign to either end. New ones are not concerned. */
  freeze(): void {
    for (const line of this.#lines) {
      line.near.unpipe()
      line.far?.unpipe()
      this.#lines.delete(line)
      this.#frozen.add(line)
    }
  }

  /** The same, and new connections are accepted and go nowhere. */
  blackHole(): void {
    this.freeze()
    this.#isHole = true
  }

  /** New connections go through again. */
  heal(): void {
    this.#isHole = false
  }

  #accept(near: Socket): void {
    const line = { near, far: this.#isHole ? undefined : connect(this.#target, "127.0.0.1") }
    const { far } = line
    if (far) {
      this.#lines.add(line)
      near.pipe(far).pipe(near)
    } else this.#frozen.add(line)
    for (const socket of [near, far]) {
      // a refused or reset end is an end like any other
      socket?.on("error", () => {})
      socket?.on("close", () => this.#drop(line))
    }
  }

  #drop(line: Line): void {
    this.#lines.delete(line)
    this.#frozen.delete(line)
    line.near.resetAndDestroy()
    line.far?.resetAndDestroy()
  }

  async #stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const line of [...this.#lines, ...this.#frozen]) this.#drop(line)
    await inTime(closed, "the proxy to close")
  }
}
