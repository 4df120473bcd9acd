import { describe, expect, it } from "vitest"
import { KeyedQueue } from "../../../src/wire/keyed-queue.js"
import { fc, runs } from "../../support/properties.js"

interface Item {
  readonly name: number
}

/** The same queue, as slow and plain as can be. */
class NaiveQueue {
  #entries: { readonly item: Item; readonly key: string | undefined }[] = []

  push(item: Item, key?: string) {
    this.#entries.push({ item, key })
  }

  take(key: string): Item | undefined {
    const index = this.#entries.findIndex((it) => it.key === key)
    return index < 0 ? undefined : this.#entries.splice(index, 1)[0]?.item
  }

  peek(): Item | undefined {
    return this.#entries[0]?.item
  }

  shift(): Item | undefined {
    return this.#entries.shift()?.item
  }

  remove(isPicked: (item: Item) => boolean): Item[] {
    const removed = this.values().filter(isPicked)
    this.#entries = this.#entries.filter(({ item }) => !isPicked(item))
    return removed
  }

  values(): Item[] {
    return this.#entries.map(({ item }) => item)
  }
}

type Command = (real: KeyedQueue<Item>, naive: NaiveQueue) => void

const key = fc.constantFrom("a", "b", "0", "1")
const item = fc.record({ name: fc.nat(9) })

function sameAnswer(ask: (queue: KeyedQueue<Item> | NaiveQueue) => unknown): Command {
  return (real, naive) => expect(ask(real)).toEqual(ask(naive))
}

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: item.map((it) => sameAnswer((queue) => queue.push(it))) },
  {
    weight: 4,
    arbitrary: fc.tuple(item, key).map(([it, name]) =>
      sameAnswer((queue) => {
        const replaced = queue.take(name)
        queue.push(it, name)
        return replaced
      }),
    ),
  },
  // the item that waits moves to the end
  {
    weight: 2,
    arbitrary: key.map((name) =>
      sameAnswer((queue) => {
        const moved = queue.take(name)
        if (moved) queue.push(moved, name)
        return moved
      }),
    ),
  },
  { weight: 2, arbitrary: key.map((name) => sameAnswer((queue) => queue.take(name))) },
  { weight: 3, arbitrary: fc.constant(sameAnswer((queue) => queue.peek())) },
  { weight: 3, arbitrary: fc.constant(sameAnswer((queue) => queue.shift())) },
  {
    weight: 1,
    arbitrary: fc.nat(9).map((name) => sameAnswer((queue) => queue.remove((it) => it.name === name))),
  },
)

describe("KeyedQueue", () => {
  it("behaves like an array, whatever is done to it", () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const real = new KeyedQueue<Item>()
        const naive = new NaiveQueue()
        for (const run of commands) {
          run(real, naive)
          expect([...real.values()]).toEqual(naive.values())
          expect(real.size).toBe(naive.values().length)
        }
        expect(real.clear()).toEqual(naive.values())
        expect(real.size).toBe(0)
      }),
      runs(500),
    )
  })

  it("has nothing to give when it is empty, before and after use", () => {
    const queue = new KeyedQueue<Item>()
    expect([queue.peek(), queue.shift(), queue.take("a")]).toEqual([undefined, undefined, undefined])
    queue.push({ name: 1 })
    queue.shift()
    expect([queue.peek(), queue.shift(), queue.take("a")]).toEqual([undefined, undefined, undefined])
    queue.push({ name: 2 })
    expect(queue.shift()).toEqual({ name: 2 })
  })

  it("does not slow down with what has passed through it", () => {
    const queue = new KeyedQueue<Item>()
    const rounds = 100_000
    let inOrder = 0
    for (let i = 0; i < rounds; i += 1) {
      queue.push({ name: i }, "a")
      queue.push({ name: i })
      queue.take("a")
      if (queue.shift()?.name === i) inOrder += 1
    }
    expect(inOrder).toBe(rounds)
    expect(queue.size).toBe(0)
  })
})
