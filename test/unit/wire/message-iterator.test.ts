import { describe, expect, it, vi } from "vitest"
import { MessageIterator, withResolvers } from "../../../src/wire/message-iterator.js"

function setUp(limit = 3) {
  const owner = { taken: vi.fn(), returned: vi.fn() }
  return { owner, iterator: new MessageIterator<number>(owner, limit) }
}

const done = { value: undefined, done: true }
const value = (message: number) => ({ value: message, done: false })

describe("MessageIterator", () => {
  it("S3 gives what is in the buffer, in order, and says that there is room", async () => {
    const { owner, iterator } = setUp()
    iterator.push(1)
    iterator.push(2)
    expect(await iterator.next()).toEqual(value(1))
    expect(await iterator.next()).toEqual(value(2))
    expect(owner.taken).toHaveBeenCalledTimes(2)
  })

  it("gives what comes later to those who wait, in the order they asked", async () => {
    const { iterator } = setUp()
    const asked = [iterator.next(), iterator.next()]
    iterator.push(1)
    iterator.push(2)
    expect(await Promise.all(asked)).toEqual([value(1), value(2)])
    expect(iterator.isFull).toBe(false)
  })

  it("S3 is full at its limit, and keeps even what comes then", async () => {
    const { iterator } = setUp(2)
    iterator.push(1)
    expect(iterator.isFull).toBe(false)
    iterator.push(2)
    expect(iterator.isFull).toBe(true)
    iterator.push(3)
    const all = [await iterator.next(), await iterator.next(), await iterator.next()]
    expect(all).toEqual([value(1), value(2), value(3)])
  })

  it("can drop its oldest message", async () => {
    const { iterator } = setUp()
    expect(iterator.dropOldest()).toBe(undefined)
    iterator.push(1)
    iterator.push(2)
    expect(iterator.dropOldest()).toBe(1)
    expect(await iterator.next()).toEqual(value(2))
  })

  it("ends after what is in the buffer, and stays ended", async () => {
    const { iterator } = setUp()
    iterator.push(1)
    iterator.end()
    iterator.push(2)
    expect(await iterator.next()).toEqual(value(1))
    expect(await iterator.next()).toEqual(done)
    expect(await iterator.next()).toEqual(done)
  })

  it("ends for all who wait", async () => {
    const { iterator } = setUp()
    const asked = [iterator.next(), iterator.next()]
    iterator.end()
    expect(await Promise.all(asked)).toEqual([done, done])
  })

  it("throws the error it ended with once, after what is in the buffer", async () => {
    const { iterator } = setUp()
    iterator.push(1)
    iterator.end(new Error("lost"))
    expect(await iterator.next()).toEqual(value(1))
    await expect(iterator.next()).rejects.toThrow("lost")
    expect(await iterator.next()).toEqual(done)
  })

  it("throws the error to one of those who wait, and ends for the others", async () => {
    const { iterator } = setUp()
    const asked = [iterator.next(), iterator.next()]
    iterator.end(new Error("lost"))
    expect(await Promise.allSettled(asked)).toEqual([
      { status: "rejected", reason: new Error("lost") },
      { status: "fulfilled", value: done },
    ])
  })

  it("keeps the first end", async () => {
    const { iterator } = setUp()
    iterator.end()
    iterator.end(new Error("late"))
    expect(await iterator.next()).toEqual(done)
  })

  it("forgets everything and tells its owner when the loop is left", async () => {
    const { owner, iterator } = setUp()
    for (const message of [1, 2, 3]) iterator.push(message)
    for await (const message of iterator) {
      expect(message).toBe(1)
      break
    }
    expect(owner.returned).toHaveBeenCalledExactlyOnceWith(iterator)
    expect(await iterator.next()).toEqual(done)
  })

  it("ends for whoever still waits when it is returned", async () => {
    const { iterator } = setUp()
    const asked = iterator.next()
    expect(await iterator.return()).toEqual(done)
    expect(await asked).toEqual(done)
  })
})

describe("withResolvers", () => {
  it("gives a promise and the two ways to settle it", async () => {
    const [kept, broken] = [withResolvers<number>(), withResolvers<number>()]
    kept.resolve(1)
    broken.reject(new Error("no"))
    expect(await kept.promise).toBe(1)
    await expect(broken.promise).rejects.toThrow("no")
  })
})
