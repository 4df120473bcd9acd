import type { FlushMode } from "holdfast"
import { describe, expect, it } from "vitest"
import { fc, runs } from "../../support/properties.js"
import { addPeer, type StubPeer, stubHub } from "../../support/stub-hub.js"

describe("S15: the order of calls is the order on each connection", () => {
  it.each<FlushMode>(["tick", "immediate"])(
    "across direct, room, user and global sends, with flush: %s",
    async (flush) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), (steps) => run(steps, flush)),
        runs(200),
      )
    },
  )

  it("delivers what was sent before a leave in the same tick, and nothing after it", async () => {
    const { hub, add, flush } = stubHub()
    const { connection, received } = add("a", "r")
    hub.to("r").send("before")
    connection.leave("r")
    hub.to("r").send("after")
    await flush()
    expect(received()).toEqual(["before"])
  })

  it("delivers what was sent before a close in the same tick, ahead of the close frame", async () => {
    const { hub, add } = stubHub()
    const { connection, socket, received } = add("a", "r")
    let writtenBeforeClose: unknown
    socket.close = () => {
      writtenBeforeClose = received()
    }
    connection.send("direct")
    hub.to("r").send("room")
    hub.broadcast("all")
    void connection.close()
    expect(hub.broadcast("after")).toEqual({ matched: 1, sent: 0, queued: 0, dropped: 0 })
    expect(writtenBeforeClose).toEqual(["direct", "room", "all"])
  })

  it("delivers what was sent before hub.close and before a close over a selection", async () => {
    const { hub, add } = stubHub()
    const [a, b] = [add("a", "r"), add("b")]
    hub.broadcast("last words")
    await hub.to("r").close(4000)
    await hub.close()
    for (const { received } of [a, b]) expect(received()).toEqual(["last words"])
  })
})

const PEERS = 4
const ROOMS = ["r0", "r1", "r2"]
const USERS = ["u0", "u1"]

const peer = fc.nat({ max: PEERS - 1 })
const room = fc.constantFrom(...ROOMS)
const except = fc.option(peer, { nil: undefined })

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant("direct" as const), peer }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("rooms" as const), rooms: fc.subarray(ROOMS), except }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("user" as const), user: fc.constantFrom(...USERS) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("all" as const), except, exceptRoom: room }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("join" as const), peer, room }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("leave" as const), peer, room }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("close" as const), peer }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("stall" as const, "unstall" as const), peer }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("flush" as const) }) },
)

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** What a peer of the model knows: which rooms it is in, whether it is open, and what it must have got. */
interface Expected {
  readonly peer: StubPeer
  readonly user: string
  readonly rooms: Set<string>
  readonly messages: string[]
  isOpen: boolean
}

/** Plays the steps to a hub and to a model of ten lines, and compares what each connection received. */
async function run(steps: readonly Step[], flush: FlushMode): Promise<void> {
  const { hub, flush: endTurn } = stubHub({ flush })
  const model = Array.from({ length: PEERS }, (_, i): Expected => {
    const user = USERS[i % USERS.length] as string
    return {
      peer: addPeer(hub, { id: `c${i}`, userId: user }),
      user,
      rooms: new Set(),
      messages: [],
      isOpen: true,
    }
  })
  const expectFor = (message: string, isMeant: (it: Expected) => boolean) => {
    for (const it of model) if (it.isOpen && isMeant(it)) it.messages.push(message)
  }
  for (const [serial, step] of steps.entries()) {
    const message = `${serial} `.repeat(serial % 7 === 0 ? 4_000 : 1)
    const subject = model["peer" in step ? step.peer : 0] as Expected
    const excepted = "except" in step && step.except !== undefined ? [`c${step.except}`] : []
    const isExcepted = (it: Expected) => excepted.includes(it.peer.connection.id)
    if (step.do === "direct") {
      hub.send(`c${step.peer}`, message)
      expectFor(message, (it) => it === subject)
    } else if (step.do === "rooms") {
      hub.to(step.rooms).except(excepted).send(message)
      expectFor(message, (it) => step.rooms.some((room) => it.rooms.has(room)) && !isExcepted(it))
    } else if (step.do === "user") {
      hub.user(step.user).send(message)
      expectFor(message, (it) => it.user === step.user)
    } else if (step.do === "all") {
      hub.everybody.exceptRooms(step.exceptRoom).except(excepted).send(message)
      expectFor(message, (it) => !it.rooms.has(step.exceptRoom) && !isExcepted(it))
    } else if (step.do === "join") {
      void subject.peer.connection.join(step.room)
      subject.rooms.add(step.room)
    } else if (step.do === "leave") {
      subject.peer.connection.leave(step.room)
      subject.rooms.delete(step.room)
    } else if (step.do === "close") {
      void subject.peer.connection.close()
      subject.isOpen = false
    } else if (step.do === "flush") await endTurn()
    else subject.peer.stream[step.do]()
  }
  for (const { peer } of model) peer.stream.unstall()
  await endTurn()
  for (const { peer, messages } of model) expect(peer.received()).toEqual(messages)
}
