import { constants, deflateRawSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import { documentOf } from "../../../bench/document.js"
import { DocumentLog } from "../../../bench/load/document-check.js"
import { MEMBERS, membersOf, ROOMS, roomsOf } from "../../../bench/memberships.js"
import {
  JSON_TEXT,
  MAX_PUBLISHERS,
  MESSAGE_BYTES,
  MessageCheck,
  SERVER,
  TEXT,
} from "../../../bench/message.js"

const message = (publisher: number, serial: number) => TEXT.make(publisher, serial)

describe("the bench's messages", () => {
  it.each([TEXT, JSON_TEXT])("are 64 bytes as $name and tell publishers apart", (format) => {
    const check = new MessageCheck(format)
    for (const publisher of [0, 1, MAX_PUBLISHERS - 1]) {
      const bytes = Buffer.from(format.make(publisher, 0))
      expect(bytes).toHaveLength(MESSAGE_BYTES)
      expect(check.take(bytes, 0, bytes.length)).toBe(publisher)
    }
    expect(check.received).toBe(3)
  })

  it("are the same after they were parsed and written, where they are JSON", () => {
    const text = JSON_TEXT.make(7, 8)
    expect(JSON.stringify(JSON.parse(text))).toBe(text)
  })

  it("are altered wherever a byte is", () => {
    const [first, second] = [0, 1].map((serial) => Buffer.from(JSON_TEXT.make(1, serial))) as [Buffer, Buffer]
    for (let i = 0; i < second.length; i += 1) {
      const check = new MessageCheck(JSON_TEXT)
      check.take(first, 0, first.length)
      const bytes = Buffer.from(second)
      bytes[i] = (bytes[i] as number) ^ 1
      expect(() => check.take(bytes, 0, bytes.length), `byte ${i}`).toThrow(/altered|was due/)
    }
  })

  it("may start from 0 again after a while", () => {
    const check = new MessageCheck(TEXT, 1, 2)
    for (const serial of [0, 1, 0]) check.take(Buffer.from(message(SERVER, serial)), 0, MESSAGE_BYTES)
    expect(() => check.take(Buffer.from(message(SERVER, 0)), 0, MESSAGE_BYTES)).toThrow("1 was due")
  })
})

describe("the bench's documents", () => {
  it("are larger than what is worth compressing, and different", () => {
    const documents = Array.from({ length: 200 }, (_, serial) => documentOf(serial))
    expect(Math.min(...documents.map((it) => it.length))).toBeGreaterThan(1_024)
    expect(new Set(documents).size).toBe(200)
  })

  it.each(["as they come", "with what was sent before"])("are checked, compressed %s", (how) => {
    const log = new DocumentLog()
    const checks = [log.check(), log.check()]
    for (let serial = 0; serial < 60; serial += 1) {
      const bytes = deflate(serial, how === "as they come" ? 0 : serial)
      for (const check of checks) check.take(bytes, 0, bytes.length)
    }
    expect(checks.map((it) => it.received)).toEqual([60, 60])
  })

  it("may be compressed differently for each connection", () => {
    const log = new DocumentLog()
    const checks = [log.check(), log.check()]
    for (let serial = 0; serial < 60; serial += 1) {
      checks.forEach((check, i) => {
        const bytes = deflate(serial, i === 0 ? 0 : serial)
        check.take(bytes, 0, bytes.length)
      })
    }
    expect(checks.map((it) => it.received)).toEqual([60, 60])
  })

  it("are found lost, repeated or altered", () => {
    const log = new DocumentLog()
    const first = deflate(0, 0)
    log.check().take(first, 0, first.length)
    const second = deflate(1, 0)
    expect(() => log.check().take(second, 0, second.length)).toThrow("document 0 is another one")
    const check = log.check()
    check.take(first, 0, first.length)
    expect(() => check.take(first, 0, first.length)).toThrow("document 1 is another one")
  })
})

describe("the bench's rooms", () => {
  it("have ten members each, drawn the same every time, and know whose they are", () => {
    const members = membersOf(100)
    expect(members).toHaveLength(ROOMS)
    expect(members.every((it) => it.size === MEMBERS)).toBe(true)
    expect(membersOf(100)).toEqual(members)
    const rooms = roomsOf(100)
    expect(rooms.flat()).toHaveLength(ROOMS * MEMBERS)
    rooms.forEach((own, client) => {
      for (const room of own) expect(members[room]?.has(client)).toBe(true)
    })
  })
})

/** A document as a sender compresses it who remembers so many that went before. */
function deflate(serial: number, remembered: number): Buffer {
  const before = Array.from({ length: remembered }, (_, i) => documentOf(serial - remembered + i)).join("")
  const dictionary = Buffer.from(before).subarray(-32_768)
  const options = { finishFlush: constants.Z_SYNC_FLUSH, ...(dictionary.length > 0 && { dictionary }) }
  return deflateRawSync(documentOf(serial), options).subarray(0, -4)
}
