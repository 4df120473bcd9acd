import { describe, expect, it } from "vitest"
import { LIMITS, type RefusalCode } from "../../../examples/chat/protocol.js"
import { approach, enter, startDemo } from "../../support/demo-chat.js"
import { connect } from "../../support/ws-server.js"

const RIGHT_TO_LEFT = "\u202e"
const long = (length: number) => "x".repeat(length)

/** What a member sends, the code it gets for it, and the id that comes back with the code. */
const FRAMES: readonly (readonly [what: string, frame: unknown, code: RefusalCode, id?: string])[] = [
  ["text that is not JSON", "hello", "NOT_JSON"],
  ["JSON that is cut short", '{"type":"say"', "NOT_JSON"],
  ["an empty text frame", "", "NOT_JSON"],
  ["a binary frame", Buffer.from('{"type":"say","id":"1","text":"hi"}'), "NOT_TEXT"],
  ["an empty binary frame", Buffer.alloc(0), "NOT_TEXT"],
  ["null", null, "BAD_SHAPE"],
  ["a number", 7, "BAD_SHAPE"],
  ["a list", [{ type: "say", id: "1", text: "hi" }], "BAD_SHAPE"],
  ["an object without a type", {}, "UNKNOWN_TYPE"],
  ["an unknown type", { type: "shout", id: "1", text: "hi" }, "UNKNOWN_TYPE", "1"],
  ["a type that every object inherits", { type: "constructor" }, "UNKNOWN_TYPE"],
  ["a type of the server's", { type: "welcome", you: { id: "1", name: "ada" } }, "UNKNOWN_TYPE"],
  ["a text that is a number", { type: "say", id: "2", text: 7 }, "BAD_SHAPE", "2"],
  ["no text", { type: "say", id: "3" }, "BAD_SHAPE", "3"],
  ["an empty text", { type: "say", id: "4", text: "" }, "BAD_TEXT", "4"],
  ["a text of spaces and nothing visible", { type: "say", id: "5", text: " \u200b\n" }, "BAD_TEXT", "5"],
  ["a text that is too long", { type: "say", id: "6", text: long(2_001) }, "BAD_TEXT", "6"],
  ["a text that moves a cursor", { type: "say", id: "7", text: "\u001b[2J" }, "BAD_TEXT", "7"],
  ["a text with a direction override", { type: "say", id: "8", text: RIGHT_TO_LEFT }, "BAD_TEXT", "8"],
  ["a text with half a character", '{"type":"say","id":"9","text":"\\ud800"}', "BAD_TEXT", "9"],
  ["no id", { type: "say", text: "hi" }, "BAD_ID"],
  ["an empty id", { type: "say", id: "", text: "hi" }, "BAD_ID"],
  ["an id that is a number", { type: "say", id: 1, text: "hi" }, "BAD_ID"],
  ["an id that is too long", { type: "say", id: long(65), text: "hi" }, "BAD_ID"],
  ["an id with a line break", { type: "say", id: "1\n2", text: "hi" }, "BAD_ID"],
  ["a whisper to nobody", { type: "whisper", id: "10", text: "hi" }, "BAD_SHAPE", "10"],
  ["a whisper to a list", { type: "whisper", id: "11", to: [], text: "hi" }, "BAD_SHAPE", "11"],
  [
    "a whisper to a stranger",
    { type: "whisper", id: "12", to: "nobody", text: "hi" },
    "NO_SUCH_MEMBER",
    "12",
  ],
  ["a second join", { type: "join", name: "eve" }, "ALREADY_JOINED"],
]

/** What somebody sends who has not joined. */
const JOINS: readonly (readonly [what: string, frame: unknown, code: RefusalCode])[] = [
  ["a message before the join", { type: "say", id: "1", text: "hi" }, "NOT_JOINED"],
  ["a whisper before the join", { type: "whisper", id: "1", to: "x", text: "hi" }, "NOT_JOINED"],
  ["no name", { type: "join" }, "BAD_SHAPE"],
  ["a name that is an object", { type: "join", name: {} }, "BAD_SHAPE"],
  ["an empty name", { type: "join", name: "" }, "BAD_NAME"],
  ["a name of spaces", { type: "join", name: "   " }, "BAD_NAME"],
  ["a name of nothing visible", { type: "join", name: "\u200d\u200d" }, "BAD_NAME"],
  ["a name that is too long", { type: "join", name: long(33) }, "BAD_NAME"],
  ["a name with a line break", { type: "join", name: "a\nb" }, "BAD_NAME"],
  ["a name with a direction override", { type: "join", name: `a${RIGHT_TO_LEFT}b` }, "BAD_NAME"],
  ["a name with a null", { type: "join", name: "a\u0000b" }, "BAD_NAME"],
  ["a name that is taken", { type: "join", name: "witness" }, "NAME_TAKEN"],
  ["a name that looks like a taken one", { type: "join", name: "W\u200citneSS" }, "NAME_TAKEN"],
  ["a token that is too short", { type: "join", name: "eve", token: "short" }, "BAD_TOKEN"],
  ["a token that is a number", { type: "join", name: "eve", token: 7 }, "BAD_SHAPE"],
]

const frameOf = (value: unknown) =>
  typeof value === "string" || Buffer.isBuffer(value) ? value : JSON.stringify(value)

describe("bad input", () => {
  it.each(FRAMES)("answers %s with a code, and nobody else notices", async (_, frame, code, id) => {
    const demo = await startDemo()
    const witness = await enter(demo, "lobby", "witness")
    const member = await enter(demo, "lobby", "ada")
    await witness.next("joined")
    member.client.send(frameOf(frame))
    const refusal = await member.next("error")
    expect({ code: refusal.code, id: refusal.id }).toEqual({ code, id })
    expect(refusal.message).not.toBe("")
    // the sender is still connected, and this is the first thing the other one hears
    member.send({ type: "say", id: "good", text: "still here" })
    expect((await witness.next("said")).id).toBe("good")
    expect((await member.next("said")).id).toBe("good")
  })

  it.each(JOINS)("answers %s with a code, and a good join still works", async (_, frame, code) => {
    const demo = await startDemo()
    const witness = await enter(demo, "lobby", "witness")
    const stranger = await approach(demo, "lobby")
    stranger.client.send(frameOf(frame))
    expect((await stranger.next("error")).code).toBe(code)
    stranger.send({ type: "join", name: "ada" })
    await stranger.next("welcome")
    expect((await witness.next("joined")).member.name).toBe("ada")
  })

  it("takes names and texts of exactly the allowed length, counted in characters", async () => {
    const demo = await startDemo()
    const name = "🐙".repeat(LIMITS.nameChars)
    const guest = await enter(demo, "🌊".repeat(LIMITS.roomChars), name)
    expect(guest.you.name).toBe(name)
    const text = "🐚".repeat(LIMITS.textChars)
    guest.send({ type: "say", id: "1", text })
    expect((await guest.next("said")).text).toBe(text)
  })

  it("takes only what belongs to a message", async () => {
    const demo = await startDemo()
    const guest = await enter(demo, "lobby", "ada")
    guest.client.send('{"type":"say","id":"1","text":"hi","from":{"name":"eve"},"__proto__":{"at":0}}')
    const said = await guest.next("said")
    expect(said).toEqual({ type: "said", id: "1", text: "hi", from: guest.you, at: expect.any(Number) })
    expect(said.at).toBeGreaterThan(0)
  })

  it("closes with 1009 above the payload limit, and the others stay", async () => {
    const demo = await startDemo()
    const witness = await enter(demo, "lobby", "witness")
    const guest = await enter(demo, "lobby", "ada")
    await witness.next("joined")
    guest.client.send(long(LIMITS.payloadBytes + 1))
    expect((await guest.client.closed()).code).toBe(1009)
    expect((await witness.next("left")).member).toEqual(guest.you)
    witness.send({ type: "say", id: "1", text: "gone" })
    await witness.next("said")
  })

  it.each([
    ["empty", ""],
    ["of spaces", "%20%20"],
    ["too long", long(33)],
    ["with a line break", "a%0Ab"],
    ["with a direction override", "a%E2%80%AEb"],
  ])("refuses a room that is %s with 4400 and the reason", async (_, room) => {
    const demo = await startDemo()
    const client = await connect(`ws://127.0.0.1:${demo.chat.port}/ws/${room}`)
    const { code, reason } = await client.closed()
    expect(code).toBe(4400)
    expect(reason).toMatch(/^the room /)
  })

  it.each([
    ["with a slash in it", "a/b", 404],
    ["with broken percent-encoding", "%zz", 400],
  ])("refuses a path %s with an HTTP status", async (_, room, status) => {
    const demo = await startDemo()
    const attempt = connect(`ws://127.0.0.1:${demo.chat.port}/ws/${room}`)
    await expect(attempt).rejects.toThrow(String(status))
  })

  it("logs ids and codes, never texts", async () => {
    const demo = await startDemo()
    const guest = await enter(demo, "lobby", "ada")
    guest.send({ type: "say", id: "m-1", text: "the secret" })
    await guest.next("said")
    guest.client.send("another secret")
    await guest.next("error")
    const log = demo.log.join("\n")
    expect(log).toContain("m-1")
    expect(log).toContain("NOT_JSON")
    expect(log).not.toContain("secret")
  })
})
