import { describe, expect, it } from "vitest"
import { Inbox, type InboxOwner } from "../../../src/wire/inbox.js"

/** A connection without a socket: its listener is busy with what it got until told otherwise. */
class Owner implements InboxOwner<number> {
  readonly delivered: number[] = []
  readonly floods: number[] = []
  unheardCount = 0
  isListening = false
  isAsync = false
  canPause = true
  /** How often reading was stopped and taken up again. */
  readonly steps: ("pause" | "resume")[] = []
  readonly inbox: Inbox<number>
  onDeliver: ((message: number) => void) | undefined

  constructor(concurrency: number) {
    this.inbox = new Inbox(this, concurrency)
  }

  hasListeners = () => this.isListening

  deliver(message: number): void {
    this.delivered.push(message)
    if (this.isAsync) this.inbox.handling()
    this.onDeliver?.(message)
  }

  pauseReading(): boolean {
    if (this.canPause) this.steps.push("pause")
    return this.canPause
  }

  resumeReading(): void {
    this.steps.push("resume")
  }

  flooded(waiting: number): void {
    this.floods.push(waiting)
  }

  unheard(): void {
    this.unheardCount += 1
  }

  listen(): void {
    this.isListening = true
    this.inbox.pump()
  }

  receive(...messages: number[]): void {
    for (const message of messages) this.inbox.push(message)
  }
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i + 1)

async function readAll(iterator: AsyncIterableIterator<number>): Promise<number[]> {
  const messages: number[] = []
  for await (const message of iterator) messages.push(message)
  return messages
}

describe("Inbox with listeners", () => {
  it("hands on at once what comes in, in order", () => {
    const owner = new Owner(4)
    owner.listen()
    owner.receive(...range(100))
    expect(owner.delivered).toEqual(range(100))
    expect(owner.steps).toEqual([])
  })

  it("S5 keeps what comes before the first listener, in order", () => {
    const owner = new Owner(4)
    owner.receive(1, 2, 3)
    expect(owner.inbox.isHolding).toBe(true)
    owner.listen()
    owner.receive(4)
    expect(owner.delivered).toEqual([1, 2, 3, 4])
    expect(owner.inbox.isHolding).toBe(false)
  })

  it("S5 stops reading when as much waits for the first listener as may be in flight", () => {
    const owner = new Owner(4)
    owner.receive(1, 2, 3)
    expect(owner.steps).toEqual([])
    owner.receive(4)
    expect(owner.steps).toEqual(["pause"])
    expect(owner.inbox.isPaused).toBe(true)
    // what was under way when reading stopped
    owner.receive(5, 6)
    owner.listen()
    expect(owner.delivered).toEqual(range(6))
    expect(owner.steps).toEqual(["pause", "resume"])
  })

  it("S5 has at most so many handlers in flight, and reading stops meanwhile", () => {
    const owner = new Owner(2)
    owner.isAsync = true
    owner.listen()
    owner.receive(1)
    expect(owner.steps).toEqual([])
    owner.receive(2, 3, 4)
    expect(owner.delivered).toEqual([1, 2])
    expect(owner.steps).toEqual(["pause"])
    owner.inbox.handled()
    expect(owner.delivered).toEqual([1, 2, 3])
    owner.inbox.handled()
    expect(owner.delivered).toEqual([1, 2, 3, 4])
    expect(owner.steps).toEqual(["pause"])
    owner.inbox.handled()
    expect(owner.steps).toEqual(["pause", "resume"])
  })

  it("reads on when the last listener left while reading was stopped for it", () => {
    const owner = new Owner(1)
    owner.isAsync = true
    owner.listen()
    owner.receive(1)
    expect(owner.steps).toEqual(["pause"])
    owner.isListening = false
    owner.inbox.handled()
    expect(owner.steps).toEqual(["pause", "resume"])
  })

  it("hands nobody a later message before an earlier one, when a listener asks for more", () => {
    const owner = new Owner(4)
    owner.receive(1, 2, 3)
    const seen: string[] = []
    owner.onDeliver = (message) => {
      seen.push(`begin ${message}`)
      owner.inbox.pump()
      seen.push(`end ${message}`)
    }
    owner.listen()
    expect(seen).toEqual([1, 2, 3].flatMap((it) => [`begin ${it}`, `end ${it}`]))
  })

  it("goes on after a listener that throws", () => {
    const owner = new Owner(4)
    owner.onDeliver = () => {
      throw new Error("escaped")
    }
    owner.isListening = true
    expect(() => owner.receive(1)).toThrow("escaped")
    owner.onDeliver = undefined
    owner.receive(2)
    expect(owner.delivered).toEqual([1, 2])
  })

  it("reports once that too much waits, when reading cannot be stopped", () => {
    const owner = new Owner(16)
    owner.canPause = false
    owner.receive(...range(1_023))
    expect(owner.floods).toEqual([])
    owner.receive(1_024, 1_025)
    expect(owner.floods).toEqual([1_024])
    owner.listen()
    expect(owner.delivered).toEqual(range(1_025))
    expect(owner.steps).toEqual([])
  })
})

describe("S5 several async listeners", () => {
  /** Each message keeps so many handlers busy. */
  function withListeners(count: number, concurrency: number) {
    const owner = new Owner(concurrency)
    let [busy, most] = [0, 0]
    owner.onDeliver = () => {
      for (let i = 0; i < count; i += 1) owner.inbox.handling()
      busy += count
      most = Math.max(most, busy)
    }
    owner.listen()
    const finish = () => {
      busy -= 1
      owner.inbox.handled()
    }
    return { owner, finish, most: () => most, busy: () => busy }
  }

  // each message was begun while one handler more would fit, however many it had
  it.each([
    [2, 16],
    [3, 16],
    [16, 16],
    [2, 3],
  ])("%i of them for each message keep no more than %i busy together", (count, limit) => {
    const { owner, finish, ...seen } = withListeners(count, limit)
    owner.receive(...range(100))
    while (seen.busy() > 0) finish()
    expect(owner.delivered).toEqual(range(100))
    expect(seen.most()).toBeLessThanOrEqual(limit)
    expect(seen.most()).toBeGreaterThan(limit - count)
    expect(owner.inbox.isPaused).toBe(false)
  })

  it("more of them than may be busy take one message at a time", () => {
    const { owner, finish, ...seen } = withListeners(5, 2)
    owner.receive(1, 2, 3)
    expect(owner.delivered).toEqual([1])
    while (seen.busy() > 0) finish()
    expect(owner.delivered).toEqual([1, 2, 3])
    expect(seen.most()).toBe(5)
  })
})

describe("Inbox with iterators", () => {
  it("S3 stops reading when an iterator's buffer is full, and reads on when it has room", async () => {
    const owner = new Owner(16)
    const iterator = owner.inbox.iterate(2)
    owner.receive(1)
    expect(owner.steps).toEqual([])
    owner.receive(2)
    expect(owner.steps).toEqual(["pause"])
    owner.receive(3)
    await iterator.next()
    expect(owner.steps).toEqual(["pause"])
    await iterator.next()
    expect(owner.steps).toEqual(["pause", "resume"])
    expect(await iterator.next()).toEqual({ value: 3, done: false })
  })

  it("S5 gives the first iterator what came before it", async () => {
    const owner = new Owner(16)
    owner.receive(1, 2, 3)
    const iterator = owner.inbox.iterate(2)
    owner.receive(4)
    owner.inbox.end()
    expect(await readAll(iterator)).toEqual([1, 2, 3, 4])
  })

  it("gives every iterator and every listener everything, at the pace of the slowest", async () => {
    const owner = new Owner(16)
    const [slow, quick] = [owner.inbox.iterate(1), owner.inbox.iterate(9)]
    owner.listen()
    owner.receive(1, 2, 3)
    expect(owner.delivered).toEqual([1])
    owner.inbox.end()
    const [all, same] = await Promise.all([readAll(slow), readAll(quick)])
    expect(all).toEqual([1, 2, 3])
    expect(same).toEqual([1, 2, 3])
    expect(owner.delivered).toEqual([1, 2, 3])
  })

  it("does not wait for an iterator that was left", async () => {
    const owner = new Owner(16)
    const iterator = owner.inbox.iterate(1)
    owner.listen()
    owner.receive(1, 2)
    expect(owner.steps).toEqual(["pause"])
    await iterator.return?.()
    expect(owner.delivered).toEqual([1, 2])
    expect(owner.steps).toEqual(["pause", "resume"])
  })

  it("keeps what comes after the last reader left for the next", async () => {
    const owner = new Owner(16)
    await owner.inbox.iterate(1).return?.()
    owner.receive(1)
    expect(await owner.inbox.iterate(1).next()).toEqual({ value: 1, done: false })
  })

  it("loses nothing that had come in when the connection ended", async () => {
    const owner = new Owner(16)
    const iterator = owner.inbox.iterate(2)
    owner.receive(...range(10))
    owner.inbox.end()
    expect(await readAll(iterator)).toEqual(range(10))
  })

  it("gives what was held to one who begins to read after the end", async () => {
    const owner = new Owner(16)
    owner.receive(1, 2, 3)
    owner.inbox.end()
    expect(await readAll(owner.inbox.iterate(2))).toEqual([1, 2, 3])
    expect(await readAll(owner.inbox.iterate(2))).toEqual([])
  })
})

describe("Inbox of a connection that closes", () => {
  it("reads on, so that the end of the handshake is seen, and never stops again", () => {
    const owner = new Owner(1)
    owner.isAsync = true
    owner.listen()
    owner.receive(1)
    owner.inbox.closing()
    expect(owner.steps).toEqual(["pause", "resume"])
    owner.receive(2, 3)
    expect(owner.steps).toEqual(["pause", "resume"])
    owner.inbox.handled()
    owner.inbox.handled()
    expect(owner.delivered).toEqual([1, 2, 3])
  })

  it("keeps no more than a bound of what nobody is ready for", () => {
    const owner = new Owner(16)
    owner.inbox.closing()
    owner.receive(...range(5_000))
    owner.listen()
    expect(owner.delivered).toEqual(range(1_024))
  })
})

describe("Inbox whose connection ends while a message is handed on", () => {
  // iterators were not told of such an end, and their loops never ended
  it("ends its iterators all the same", async () => {
    const owner = new Owner(16)
    const loop = readAll(owner.inbox.iterate(4))
    owner.isListening = true
    owner.onDeliver = () => owner.inbox.end()
    owner.receive(1)
    expect(await loop).toEqual([1])
  })

  it("ends an iterator that was made in between", async () => {
    const owner = new Owner(16)
    let loop: Promise<number[]> | undefined
    owner.onDeliver = () => {
      loop = readAll(owner.inbox.iterate(4))
      owner.inbox.end()
    }
    owner.isListening = true
    owner.receive(1)
    expect(await loop).toEqual([])
  })
})

describe("Inbox that nobody reads", () => {
  // reading stayed paused for ever, and with it the end of the connection unseen
  it("tells that reading is paused for nobody any more when the last loop was left", async () => {
    const owner = new Owner(2)
    const iterator = owner.inbox.iterate(2)
    owner.receive(...range(9))
    expect([owner.inbox.isPaused, owner.unheardCount]).toEqual([true, 0])
    await iterator.return?.()
    expect([owner.inbox.isPaused, owner.unheardCount]).toEqual([true, 1])
    expect(owner.inbox.discard()).toBe(true)
    expect(owner.inbox.isPaused).toBe(false)
  })

  it("tells so when the last listener has left and its work is done", () => {
    const owner = new Owner(2)
    owner.isAsync = true
    owner.listen()
    owner.receive(...range(9))
    owner.isListening = false
    expect(owner.unheardCount).toBe(0)
    owner.inbox.handled()
    expect([owner.inbox.isPaused, owner.unheardCount]).toEqual([true, 1])
  })

  it("tells nothing of the kind after the end", () => {
    const owner = new Owner(2)
    owner.isAsync = true
    owner.listen()
    owner.receive(...range(9))
    owner.isListening = false
    owner.inbox.end()
    owner.inbox.handled()
    expect(owner.unheardCount).toBe(0)
  })

  it("tells once that reading was paused for nobody, and not when listeners are busy", () => {
    const owner = new Owner(2)
    owner.receive(1, 2, 3)
    expect(owner.unheardCount).toBe(1)
    const busy = new Owner(2)
    busy.isAsync = true
    busy.listen()
    busy.receive(1, 2, 3)
    expect(busy.steps).toEqual(["pause"])
    expect(busy.unheardCount).toBe(0)
  })

  it("forgets what waits and reads on once it is given up, until somebody listens", () => {
    const owner = new Owner(2)
    owner.receive(1, 2)
    expect(owner.inbox.discard()).toBe(true)
    expect(owner.steps).toEqual(["pause", "resume"])
    owner.receive(3, 4, 5)
    expect(owner.inbox.isPaused).toBe(false)
    owner.listen()
    owner.receive(6)
    expect(owner.delivered).toEqual([6])
  })

  it("keeps everything when somebody came in time", () => {
    const owner = new Owner(2)
    owner.receive(1, 2)
    owner.listen()
    expect(owner.inbox.discard()).toBe(false)
    expect(owner.delivered).toEqual([1, 2])
  })
})
