/**
 * Runs what a client may send, good and bad, over TCP: against a hub that echoes and against bare `ws`, with the same
 * limits. Says what came of it, and watches over what is left in this process.
 */

import { existsSync, readdirSync } from "node:fs"
import { createHub, type Payload } from "holdfast"
import { type AttachOptions, attach } from "holdfast/server"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { WebSocketServer } from "ws"
import { close, text } from "./client-frames.js"
import { inTime, until } from "./deadline.js"
import { FrameParser, type ParsedFrame } from "./frame-parser.js"
import { collectGarbage, heldBytes } from "./garbage.js"
import { type HttpTarget, startHttp } from "./server-http.js"
import { RawClient, type RequestParts, upgradeRequest } from "./server-raw.js"

/**
 * What came of it: the close code that the server sent, an HTTP status, `cut` for an end without either, or the messages
 * that came back, after which the server was as well as before.
 */
export type Outcome = { readonly close: number } | { readonly status: number } | "cut" | readonly Shown[]

/** A frame that came back: text as it is, anything else with its type. */
type Shown = string

/** One thing to send, and what must come of it. */
export interface BadInput {
  readonly what: string
  /** The rule, or the limit. */
  readonly rule: string
  /** The request, if it is not the usual one. */
  readonly request?: RequestParts | string
  /** What follows the handshake. */
  readonly frames?: readonly Uint8Array[]
  readonly outcome: Outcome
}

/** What the limits of both servers are. */
const LIMITS = Object.freeze({ maxPayloadBytes: 65_536, maxFragments: 128 })

const asIs = { encode: (message: Payload) => message, decode: (data: Payload) => data }

/** A hub that echoes. */
export async function startEcho(
  options: AttachOptions = {},
  hubOptions: NonNullable<Parameters<typeof createHub<Payload, Payload>>[0]> = {},
) {
  const http = await startHttp()
  const hub = createHub<Payload, Payload>({ codec: asIs, heartbeat: false, logger: false, ...hubOptions })
  hub.on("message", ({ connection, data }) => void connection.send(data))
  const attachment = attach(http.server, hub, { ...LIMITS, logger: false, ...options })
  return {
    ...http,
    hub,
    attachment,
    /** Resolves when nobody is left. */
    async empty() {
      await http.idle()
      await until(() => hub.size === 0, "the hub to be empty")
    },
  }
}

/** Bare `ws` that echoes, as its README does it. */
async function startBare({ isCompressed = false } = {}): Promise<HttpTarget> {
  const http = await startHttp()
  const wss = new WebSocketServer({
    server: http.server,
    maxPayload: LIMITS.maxPayloadBytes,
    maxFragments: LIMITS.maxFragments,
    perMessageDeflate: isCompressed,
  })
  onTestFinished(() => void wss.close())
  wss.on("connection", (socket) => {
    socket.on("error", () => {})
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  return http
}

/** How bytes are handed to the network: all at once, or one by one. */
type Pace = "at once" | "byte by byte"

const PROBE = "are you well?"

/**
 * Sends one input, and behind it a message, and a close, that only a server which is well answers. What comes back must be
 * frames that a server may send.
 */
async function outcomeOf(
  server: HttpTarget,
  { request = {}, frames = [] }: Pick<BadInput, "request" | "frames">,
  pace: Pace = "at once",
): Promise<Outcome> {
  const raw = await RawClient.open(server)
  raw.socket.setNoDelay()
  const head = Buffer.from(typeof request === "string" ? request : upgradeRequest(request))
  await write(raw, head, frames.length > 0 ? "at once" : pace)
  const status = await raw.status()
  if (status !== 101) {
    await raw.ended()
    return { status }
  }
  const conversation = new Conversation(raw)
  await write(raw, Buffer.concat([...frames, text(PROBE)]), pace)
  return conversation.outcome()
}

/** What a server says after its handshake. */
export class Conversation {
  readonly #raw: RawClient
  readonly #frames: ParsedFrame[] = []
  #parser: FrameParser | undefined
  #unread: Buffer

  constructor(raw: RawClient) {
    this.#raw = raw
    this.#unread = Buffer.from(raw.received, "latin1")
    raw.socket.on("data", (chunk: Buffer) => {
      this.#unread = this.#unread.length > 0 ? Buffer.concat([this.#unread, chunk]) : chunk
    })
  }

  /** The frames so far. Throws for what no server may send. */
  frames(): readonly ParsedFrame[] {
    if (!this.#parser) {
      const end = this.#unread.indexOf("\r\n\r\n") + 4
      if (end < 4) return this.#frames
      this.#parser = new FrameParser(agreedOn(this.#unread.toString("latin1", 0, end)))
      this.#unread = this.#unread.subarray(end)
    }
    if (this.#unread.length > 0) this.#frames.push(...this.#parser.push(this.#unread))
    this.#unread = Buffer.alloc(0)
    return this.#frames
  }

  /** The code of the close frame, if one has come. */
  get closeCode(): number | undefined {
    const last = this.frames().at(-1)
    return last?.type === "close"
      ? last.payload.length === 0
        ? 1005
        : last.payload.readUInt16BE()
      : undefined
  }

  /** Waits for the end, ends its own side once the server has said goodbye, and tells what came of it all. */
  async outcome(ms?: number): Promise<Outcome> {
    const isOver = () => this.closeCode !== undefined || this.#raw.socket.destroyed
    const isWell = () => this.frames().some(({ payload }) => payload.toString() === PROBE)
    await until(() => isOver() || isWell(), "an answer, a close frame, or the end", ms)
    if (!isOver()) this.#raw.socket.write(close(1000))
    await until(isOver, "a close frame, or the end", ms)
    const code = this.closeCode
    this.#raw.socket.end()
    await this.#raw.ended()
    // nothing follows a close frame (RFC 6455, section 5.5.1)
    expect(this.frames().findIndex(({ type }) => type === "close")).toBe(
      code === undefined ? -1 : this.#frames.length - 1,
    )
    if (code === undefined) return "cut"
    const echoes = this.#frames.slice(0, -1).map(shown)
    if (echoes.at(-1) !== PROBE) return { close: code }
    expect(code).toBe(1000)
    return echoes.slice(0, -1)
  }
}

/** Runs a table of inputs: at once and byte by byte against the hub, and against `ws`, which may be no stricter. */
export function describeBadInput(
  family: string,
  cases: readonly BadInput[],
  { isCompressed = false } = {},
): void {
  const start = () => startEcho({}, isCompressed ? { compression: "shared" } : {})
  const rows = cases.map((it) => [it.what, it.rule, shownOutcome(it), it] as const)

  describe(family, () => {
    watchFamily()

    it.each(rows)("%s (%s): %s", async (_what, _rule, _outcome, input) => {
      const server = await start()
      expect(await outcomeOf(server, input)).toEqual(input.outcome)
      await server.empty()
      expect(await outcomeOf(server, input, "byte by byte")).toEqual(input.outcome)
      await server.empty()
      // whatever it was, whoever comes next is served
      expect(await outcomeOf(server, { frames: [text("next")] })).toEqual(["next"])
    })

    it.each(rows)("is judged as strictly as ws does, or more: %s (%s)", async (_what, _rule, _, input) => {
      const theirs = await outcomeOf(await startBare({ isCompressed }), input)
      // what ws takes may be refused here
      if (Array.isArray(theirs)) return expect(input.outcome).toSatisfy(isNoLaxerThan(theirs))
      // whoever is not let in cannot do any harm, whatever the words
      if (isStatus(theirs) || isStatus(input.outcome)) return expect(input.outcome).toHaveProperty("status")
      expect(input.outcome).toEqual(theirs)
    })
  })
}

function isNoLaxerThan(theirs: Outcome): (ours: Outcome) => boolean {
  return (ours) => !Array.isArray(ours) || JSON.stringify(ours) === JSON.stringify(theirs)
}

function isStatus(outcome: Outcome): outcome is { readonly status: number } {
  return typeof outcome === "object" && "status" in outcome
}

function shownOutcome({ outcome }: BadInput): string {
  if (outcome === "cut") return "the socket is cut"
  if ("close" in outcome) return `close ${outcome.close}`
  return "status" in outcome ? `HTTP ${outcome.status}` : "taken"
}

/**
 * Watches this process while a family runs: afterwards descriptors are back, no more memory was held at any
 * moment than so many MiB above what there was, and no error has gone uncaught.
 */
export function watchFamily(maxMiB = 64): void {
  const maxBytes = maxMiB * 1_048_576
  const uncaught: unknown[] = []
  const trap = (error: unknown) => void uncaught.push(error)
  let descriptors = 0
  let bytes = 0
  let peak = 0
  let sampler: NodeJS.Timeout | undefined

  beforeAll(async () => {
    process.on("uncaughtExceptionMonitor", trap).on("unhandledRejection", trap)
    await collectGarbage()
    descriptors = openDescriptors()
    bytes = heldBytes()
    peak = bytes
    sampler = setInterval(() => {
      peak = Math.max(peak, heldBytes(bytes + maxBytes))
    }, 10)
  })

  afterAll(async () => {
    clearInterval(sampler)
    process.off("uncaughtExceptionMonitor", trap).off("unhandledRejection", trap)
    expect(uncaught).toEqual([])
    expect(peak - bytes).toBeLessThan(maxBytes)
    await until(() => openDescriptors() <= descriptors, "the file descriptors to be back")
  })
}

/** How many descriptors this process has open; 0 where that cannot be seen. */
export function openDescriptors(): number {
  return existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0
}

/** A turn of the event loop lets what was written leave. */
async function write(raw: RawClient, bytes: Uint8Array, pace: Pace): Promise<void> {
  if (pace === "at once") return void raw.socket.write(bytes)
  // the first bytes are where headers are; a long tail in pieces would test patience only
  const single = Math.min(bytes.length, 512)
  for (let at = 0; at < single; at += 1) {
    if (raw.socket.destroyed) return
    raw.socket.write(bytes.subarray(at, at + 1))
    await new Promise((resolve) => setImmediate(resolve))
  }
  raw.socket.write(bytes.subarray(single))
}

function shown({ type, payload }: ParsedFrame): string {
  if (type === "text") return payload.toString()
  return `${type} ${type === "binary" ? payload.toString("hex") : payload.toString()}`.trimEnd()
}

/** What the server has agreed on, for whoever reads what it sends. */
function agreedOn(head: string): { windowBits?: number } {
  const [, extensions = ""] = /sec-websocket-extensions: (.*)\r\n/i.exec(head) ?? []
  if (!extensions.includes("permessage-deflate")) return {}
  return { windowBits: Number(/server_max_window_bits=(\d+)/.exec(extensions)?.[1] ?? 15) }
}

/** Opens a raw client that is in, and gives the test its way on. */
export async function enter(
  server: HttpTarget,
  request: RequestParts = {},
): Promise<{ raw: RawClient; conversation: Conversation }> {
  const raw = await RawClient.open(server)
  raw.socket.write(upgradeRequest(request))
  expect(await inTime(raw.status(), "the handshake")).toBe(101)
  await raw.until(() => raw.received.includes("\r\n\r\n"), "the whole answer")
  return { raw, conversation: new Conversation(raw) }
}
