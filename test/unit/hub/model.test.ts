import { createHub, type HubConnection, type OverflowPolicy, text } from "holdfast"
import { VirtualClock } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { KernelStream } from "../../support/kernel-stream.js"
import { fc, runs } from "../../support/properties.js"
import { decodeFrames, StubSocket } from "../../support/stub-socket.js"

type Connection = HubConnection<string, string>
type Policy = OverflowPolicy

/** What a listener does while it is told of something. */
const reaction = fc.constantFrom(
  "nothing",
  "send",
  "send much",
  "close",
  "terminate",
  "leave",
  "rejoin",
  "broadcast",
)
type Reaction = Parameters<Parameters<typeof reaction.map>[0]>[0]

const ROOMS = ["r0", "r1", "r2"] as const
const USERS = ["u0", "u1"] as const
const KEYS = [undefined, undefined, "k0", "k1"] as const
const MAX_BYTES = 400
/** What a message begins with that a listener sends. */
const ASIDE = "~"

const who = fc.nat(7)
const room = fc.constantFrom(...ROOMS)
/** How long a message is: most fit, some do not. */
const size = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 8, max: 120 }) },
  { weight: 1, arbitrary: fc.constant(500) },
)
const key = fc.constantFrom(...KEYS)

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("add"), user: fc.constantFrom(undefined, ...USERS), room }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("join", "leave"), who, room }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constantFrom("send", "send directly", "sendAsync"), who, size, key }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("to"), room, other: room, except: who, size, key }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("broadcast", "user"),
      user: fc.constantFrom(...USERS),
      size,
      key,
    }),
  },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom("stall", "unstall"), who }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant("kernel"), who, bytes: fc.integer({ min: 1, max: 300 }) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("turn") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("pass"), ms: fc.integer({ min: 1, max: 20_000 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("receive", "ping", "drained", "read"), who }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("close", "terminate", "peer ends", "program closes", "mute"),
      who,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("close room"), room }) },
)
type Step = Parameters<Parameters<typeof step.map>[0]>[0]

const world = fc.record({
  flush: fc.constantFrom("tick" as const, "immediate" as const),
  hasNotices: fc.boolean(),
  total: fc.constantFrom(false as const, 1_000, 3_000),
  onLag: reaction,
  onClose: reaction,
  onMessage: reaction,
  steps: fc.array(step, { maxLength: 100, size: "max" }),
})
type World = Parameters<Parameters<typeof world.map>[0]>[0]

/** One connection, and everything that is known about it from outside. */
interface Peer {
  readonly connection: Connection
  readonly socket: StubSocket
  readonly stream: KernelStream
  /** Every message that was given to it and not refused, in that order. */
  readonly taken: { readonly text: string; readonly key: string | undefined }[]
  told: number
  unsent: number | undefined
}

describe("a hub with random traffic, readers, listeners and ends", () => {
  it.each<Policy>(["close", "drop-newest", "drop-oldest", "latest"])(
    "S15 S21 S60: keeps the order, accounts for every message, and leaves nothing behind (%s)",
    async (overflow) => {
      await fc.assert(
        fc.asyncProperty(world, async (it) => {
          const model = new Model(overflow, it)
          for (const step of it.steps) {
            await model.do(step)
            model.check()
          }
          await model.end()
        }),
        runs(120),
      )
    },
  )
})

class Model {
  readonly #clock = new VirtualClock()
  readonly #hub
  readonly #peers: Peer[] = []
  readonly #rooms = new Map<string, Set<Connection>>(ROOMS.map((it) => [it, new Set()]))
  readonly #open = new Set<Connection>()
  /** Whatever must settle before the end, whichever way. */
  readonly #promises: Promise<unknown>[] = []
  #callbacks = { asked: 0, called: 0 }
  #serial = 0
  #depth = 0

  constructor(
    readonly overflow: Policy,
    readonly world: World,
  ) {
    const { flush, hasNotices, total } = world
    this.#hub = createHub<string, string>({
      codec: text(),
      literalPing: { ping: "ping", pong: "pong" },
      clock: this.#clock,
      logger: false,
      overflow,
      flush,
      maxBufferedBytes: MAX_BYTES,
      maxTotalBufferedBytes: total,
      onLag: hasNotices ? () => "notice" : undefined,
    })
    this.#hub.on("close", ({ connection, unsent }) => {
      const peer = this.#peerOf(connection)
      expect(peer.unsent).toBeUndefined()
      peer.unsent = unsent.count
      for (const members of this.#rooms.values()) members.delete(connection)
      this.#open.delete(connection)
    })
    this.#hub.on("lagged", ({ connection, count }) => {
      this.#peerOf(connection).told += count
      this.#react(world.onLag, connection)
    })
    this.#hub.on("message", ({ connection }) => this.#react(world.onMessage, connection))
  }

  /** What an outsider can see at any moment. */
  check(): void {
    expect(this.#hub.size).toBe(this.#open.size)
    for (const [room, members] of this.#rooms) expect(new Set(this.#hub.members(room))).toEqual(members)
    for (const { connection } of this.#peers) {
      if (connection.state === "open" && !this.world.hasNotices) {
        expect(connection.bufferedBytes).toBeLessThanOrEqual(MAX_BYTES)
      }
    }
  }

  async do(step: Step): Promise<void> {
    if ("who" in step) await this.#doTo(step)
    else if (step.do === "add") this.#add(step.user, step.room)
    else if (step.do === "turn") await this.#clock.advance(0)
    else if ("ms" in step) await this.#clock.advance(step.ms)
    else if (step.do === "close room" && "room" in step) void this.#hub.to(step.room).close(4000)
    else if (step.do === "to" && "other" in step) {
      const except = this.#peers[step.except]?.connection ?? []
      const selection = this.#hub.to([step.room, step.other]).except(except)
      const meant = new Set([...(this.#rooms.get(step.room) ?? []), ...(this.#rooms.get(step.other) ?? [])])
      if (!Array.isArray(except)) meant.delete(except)
      const { matched } = selection.send(this.#message(step.size), options(step.key))
      if (this.#isQuiet) expect(matched).toBe(meant.size)
    } else if ("user" in step && "size" in step) {
      const selection = step.do === "user" ? this.#hub.user(step.user) : this.#hub.everybody
      const { matched, sent, queued, dropped } = selection.send(this.#message(step.size), options(step.key))
      expect(sent + queued + dropped).toBeLessThanOrEqual(matched)
    }
  }

  /** Ends everything and looks whether it adds up. */
  async end(): Promise<void> {
    const closed = this.#hub.close()
    await this.#clock.advance(60_000)
    await closed
    await Promise.all(this.#promises)
    expect(this.#callbacks.called).toBe(this.#callbacks.asked)
    for (const peer of this.#peers) this.#account(peer)
    const stats = this.#hub.stats()
    expect(stats.connections).toMatchObject({ now: 0, total: this.#peers.length, slow: 0 })
    expect([stats.rooms, stats.memberships, stats.bytes.buffered]).toEqual([0, 0, 0])
    const lost = this.#peers.reduce((sum, { told, unsent = 0 }) => sum + told + unsent, 0)
    expect(sum(stats.messages.lostByReason)).toBe(lost)
    expect(sum(stats.connections.closedByCode)).toBe(this.#peers.length)
    expect(this.#hub.bufferedBytes).toBe(0)
    // neither a timer nor a listener is left
    expect(this.#clock.pending).toBe(0)
    for (const { stream } of this.#peers) expect(stream.listenerCount("drain")).toBe(0)
  }

  /** Every message is exactly one of written, told as lost, never sent; and, with keys, replaced by a newer one. */
  #account({ taken, stream, told, unsent }: Peer): void {
    const written = decodeFrames(stream.writes).map(String)
    const messages = written.filter((it) => it !== "notice" && it !== "pong")
    const order = new Map(taken.map(({ text }, index) => [text, index]))
    const places = messages.map((it) => order.get(it) ?? Number.NaN)
    expect(new Set(places).size).toBe(places.length)
    // who hears of a gap speaks where the gap is, ahead of the message that was being sent
    const ordered = places.filter((_, index) => !messages[index]?.startsWith(ASIDE))
    expect(ordered).toEqual([...ordered].sort((a, b) => a - b))
    const arrived = new Set(messages)
    const missing = taken.filter(({ text }) => !arrived.has(text))
    const replaced = missing.length - told - (unsent ?? Number.NaN)
    const replaceable = missing.filter(({ text, key }) => {
      const later = taken.slice((order.get(text) ?? 0) + 1)
      return key !== undefined && later.some((it) => it.key === key)
    })
    if (this.overflow === "latest") expect(replaced).toBeGreaterThanOrEqual(0)
    expect(replaced).toBeLessThanOrEqual(this.overflow === "latest" ? replaceable.length : 0)
    expect(replaced).toBeGreaterThanOrEqual(0)
    expect(written.filter((it) => it === "notice").length).toBeLessThanOrEqual(told)
  }

  #add(userId: string | undefined, room: string): void {
    if (this.#peers.length >= 8) return
    const [socket, stream] = [new StubSocket(), new KernelStream(150)]
    // behind the stream's own bytes, as with a real socket
    socket.on("close", (code) => stream.end(code !== 1006))
    const connection = this.#hub.add(socket, { stream, userId })
    const taken: { text: string; key: string | undefined }[] = []
    const peer: Peer = { connection, socket, stream, taken, told: 0, unsent: undefined }
    // what every kind of send comes down to
    const transmit = connection.transmit.bind(connection)
    connection.transmit = (frame) => {
      const place = taken.push({ text: String(frame.payload), key: frame.key }) - 1
      const result = transmit(frame)
      if (result === "closed") taken.splice(place, 1)
      return result
    }
    connection.on("close", () => this.#react(this.world.onClose, connection))
    this.#peers.push(peer)
    this.#open.add(connection)
    this.#join(connection, room)
  }

  async #doTo(step: Extract<Step, { who: number }>): Promise<void> {
    const peer = this.#peers[step.who]
    if (!peer) return
    const { connection, socket, stream } = peer
    if ("bytes" in step) stream.leave(step.bytes)
    else if ("size" in step) this.#send(peer, step)
    else if ("room" in step) {
      if (step.do === "join") this.#join(connection, step.room)
      else this.#leave(connection, step.room)
    } else if (step.do === "stall") stream.stall()
    else if (step.do === "unstall") stream.unstall()
    else if (step.do === "mute") socket.isMute = true
    else if (step.do === "receive" && socket.readyState === 1) socket.receive("hello")
    else if (step.do === "ping" && socket.readyState === 1) socket.receive("ping")
    else if (step.do === "drained") this.#mustSettle(connection.drained())
    else if (step.do === "read") this.#mustSettle(readSome(connection))
    else if (step.do === "close") this.#mustSettle(connection.close(4000))
    else if (step.do === "terminate") connection.terminate()
    else if (step.do === "peer ends") socket.end(1006)
    else if (step.do === "program closes") socket.close(4001)
  }

  #send({ connection, socket }: Peer, step: Extract<Step, { who: number; size: number }>): void {
    const message = this.#message(step.size)
    if (step.do === "sendAsync") this.#mustSettle(connection.sendAsync(message))
    else if (step.do === "send") connection.send(message, options(step.key))
    else if (socket.readyState === 1 && connection.state === "open") {
      this.#callbacks.asked += 1
      socket.send(message, () => {
        this.#callbacks.called += 1
      })
    }
  }

  #react(reaction: Reaction, connection: Connection): void {
    // a listener's own messages are lost as well, and so on
    if (this.#depth > 3) return
    this.#depth += 1
    if (reaction === "send") connection.send(this.#message(20))
    else if (reaction === "send much") connection.send(this.#message(MAX_BYTES * 2))
    else if (reaction === "broadcast") this.#hub.to("r0").send(this.#message(30))
    else if (reaction === "close") void connection.close()
    else if (reaction === "terminate") connection.terminate()
    else if (reaction === "leave") this.#leave(connection, "r0")
    else if (reaction === "rejoin") {
      this.#leave(connection, "r0")
      this.#join(connection, "r0")
    }
    this.#depth -= 1
  }

  #join(connection: Connection, room: string): void {
    void connection.join(room)
    if (connection.state === "open") this.#rooms.get(room)?.add(connection)
  }

  #leave(connection: Connection, room: string): void {
    connection.leave(room)
    this.#rooms.get(room)?.delete(connection)
  }

  #mustSettle(promise: Promise<unknown>): void {
    this.#promises.push(promise.catch(() => {}))
  }

  /** Whether no listener changes what is being counted. */
  get #isQuiet(): boolean {
    const { onLag, onClose } = this.world
    return onLag === "nothing" && onClose === "nothing"
  }

  #message(size: number): string {
    this.#serial += 1
    return `${this.#depth > 0 ? ASIDE : ""}${this.#serial} `.padEnd(size, ".")
  }

  #peerOf(connection: Connection): Peer {
    return this.#peers.find((it) => it.connection === connection) as Peer
  }
}

const options = (key: string | undefined) => (key === undefined ? undefined : { key })

async function readSome(connection: Connection): Promise<void> {
  let left = 3
  for await (const _ of connection.iterate({ maxMessages: 1 })) {
    left -= 1
    if (left === 0) return
  }
}

function sum(counts: Readonly<Partial<Record<string | number, number>>>): number {
  return Object.values(counts).reduce<number>((all, it) => all + (it ?? 0), 0)
}
