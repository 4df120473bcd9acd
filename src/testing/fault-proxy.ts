/**
 * A TCP line that a test can break: real sockets on loopback, and every way a network has to fail. It knows no WebSocket;
 * whatever speaks TCP may be at its ends.
 */

import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net"
import { checkNumber, reject } from "../core/options.js"
import type { FlowSettings } from "./fault-flow.js"
import { DIRECTIONS, type FaultDirection, FaultLine } from "./fault-line.js"

/** How a {@link FaultProxy} begins. */
export interface FaultProxyOptions {
  /** How long each byte is on its way, in milliseconds. @defaultValue 0 */
  readonly latencyMs?: number
  /** How many bytes pass in a second, in each direction of each line; `false` for no limit. @defaultValue false */
  readonly bytesPerSecond?: number | false
}

/**
 * Starts a proxy on a free port of 127.0.0.1.
 *
 * @param target - Where it leads: an address such as `ws://127.0.0.1:8080/ws`, or a port of this machine.
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * await using proxy = await faultProxy(server.url)
 * const client = new ReconnectingClient(proxy.url)
 * proxy.blackHole() // the line is dead, and nobody is told
 */
export async function faultProxy(
  target: string | URL | number,
  options: FaultProxyOptions = {},
): Promise<FaultProxy> {
  const proxy = new FaultProxy(target, options)
  await proxy.accept()
  return proxy
}

/** A TCP proxy with faults on demand. Made by {@link faultProxy}. For Node. */
export class FaultProxy implements AsyncDisposable {
  /** Bytes that have passed, by direction. */
  readonly passed: Readonly<Record<FaultDirection, number>>
  readonly #target: URL
  readonly #settings: FlowSettings
  readonly #lines = new Set<FaultLine>()
  readonly #stalled = new Set<FaultDirection>()
  readonly #passed = { up: 0, down: 0 }
  /** How many bytes may pass before a reset. */
  readonly #allowance = { up: Number.POSITIVE_INFINITY, down: Number.POSITIVE_INFINITY }
  #server: Server | undefined
  #port = 0
  #isHole = false
  /** Who waits until nothing is left. */
  #waiting: (() => void)[] = []

  /** @internal Use {@link faultProxy}. */
  constructor(target: string | URL | number, options: FaultProxyOptions) {
    this.#target = resolveTarget(target)
    this.#settings = { latencyMs: 0, bytesPerSecond: false }
    this.passed = this.#passed
    if (options.latencyMs !== undefined) this.latencyMs = options.latencyMs
    if (options.bytesPerSecond !== undefined) this.bytesPerSecond = options.bytesPerSecond
  }

  /** The port it listens on. */
  get port(): number {
    return this.#port
  }

  /** What to dial instead of the target. */
  get url(): string {
    const url = new URL(this.#target)
    url.hostname = "127.0.0.1"
    url.port = String(this.#port)
    const hasPath = url.pathname.length > 1 || url.search !== ""
    return hasPath ? url.href : `${url.protocol}//${url.host}`
  }

  /** How many connections let bytes pass. */
  get size(): number {
    return [...this.#lines].filter(({ isLive }) => isLive).length
  }

  /** How many connections are open, and dead. */
  get dead(): number {
    return this.#lines.size - this.size
  }

  /** How long each byte is on its way, in milliseconds. What is on its way already arrives when it would have. */
  get latencyMs(): number {
    return this.#settings.latencyMs
  }

  /** Sets it, for what is forwarded from now on. */
  set latencyMs(ms: number) {
    this.#settings.latencyMs = checkNumber("faultProxy.latencyMs", ms, 0)
  }

  /** How many bytes pass in a second, in each direction of each connection; `false` for no limit. */
  get bytesPerSecond(): number | false {
    return this.#settings.bytesPerSecond
  }

  /** Sets it, for what is forwarded from now on. */
  set bytesPerSecond(bytes: number | false) {
    this.#settings.bytesPerSecond =
      bytes === false ? false : checkNumber("faultProxy.bytesPerSecond", bytes, 1)
  }

  /** Lets nothing pass; it waits, and the sender's buffers fill up. New connections stall as well. */
  stall(direction?: FaultDirection): void {
    for (const it of directions(direction)) {
      this.#stalled.add(it)
      for (const line of this.#lines) line.flow(it)?.stall(true)
    }
  }

  /** What was stalled passes. */
  unstall(direction?: FaultDirection): void {
    for (const it of directions(direction)) {
      this.#stalled.delete(it)
      for (const line of this.#lines) line.flow(it)?.stall(false)
    }
  }

  /** The connections there are die without a sign to either end: everything is swallowed. New ones are not concerned. */
  freeze(): void {
    for (const line of this.#lines) line.kill()
  }

  /** The same, and new connections are accepted and lead nowhere, until {@link heal}. */
  blackHole(): void {
    this.#isHole = true
    this.freeze()
  }

  /** New connections go through again, and no reset is due any more. Dead connections stay dead. */
  heal(): void {
    this.#isHole = false
    for (const direction of DIRECTIONS) this.#allowance[direction] = Number.POSITIVE_INFINITY
  }

  /** Ends a direction of every connection, as when one side has finished sending; the other direction goes on. */
  halfClose(direction: FaultDirection): void {
    for (const line of this.#lines) line.flow(direction)?.end()
  }

  /** Resets every connection, at both ends. What is on its way is lost. */
  reset(): void {
    for (const line of this.#lines) line.reset()
  }

  /**
   * Resets the connection that passes the last of so many more bytes in that direction, behind exactly those: in the
   * middle of a frame, for example. It happens once.
   */
  resetAfter(bytes: number, direction: FaultDirection): void {
    this.#allowance[direction] = checkNumber("faultProxy.resetAfter", bytes, 1)
  }

  /** Refuses new connections. Those there are go on. */
  refuse(): void {
    this.#server?.close()
    this.#server = undefined
  }

  /** Accepts connections again, on the same port. Resolves when it does. */
  async accept(): Promise<void> {
    if (this.#server) return
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#accept(near))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject)
      server.listen(this.#port, "127.0.0.1", resolve)
    })
    this.#port = (server.address() as AddressInfo).port
  }

  /** Resets every connection, and listens no more. Resolves when all is over. */
  async close(): Promise<void> {
    this.refuse()
    this.reset()
    if (this.#lines.size > 0)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
      })
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #accept(near: Socket): void {
    const { hostname, port, protocol } = this.#target
    const far = this.#isHole
      ? undefined
      : connect({
          host: hostname.replace(/^\[|\]$/g, ""),
          port: Number(port) || (protocol === "wss:" || protocol === "https:" ? 443 : 80),
          allowHalfOpen: true,
          noDelay: true,
        })
    const line = new FaultLine(near, far, {
      settings: this.#settings,
      stalled: this.#stalled,
      passed: (direction, bytes) => this.#count(direction, bytes),
      allowance: (direction) => this.#allowance[direction],
      ended: (ended) => this.#ended(ended),
    })
    this.#lines.add(line)
  }

  #count(direction: FaultDirection, bytes: number): number {
    this.#passed[direction] += bytes
    this.#allowance[direction] -= bytes
    const left = this.#allowance[direction]
    if (left === 0) this.#allowance[direction] = Number.POSITIVE_INFINITY
    return left
  }

  #ended(line: FaultLine): void {
    this.#lines.delete(line)
    if (this.#lines.size > 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function directions(direction: FaultDirection | undefined): readonly FaultDirection[] {
  return direction === undefined ? DIRECTIONS : [direction]
}

function resolveTarget(target: string | URL | number): URL {
  if (typeof target === "number")
    return new URL(`ws://127.0.0.1:${checkNumber("faultProxy", target, 1, 65_535)}`)
  const text = String(target)
  return URL.canParse(text) ? new URL(text) : reject("faultProxy", "an address or a port", target)
}
