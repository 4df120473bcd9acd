import { describe, expect, it } from "vitest"
import { PathPattern } from "../../../src/server/path-pattern.js"
import { parseTarget } from "../../../src/server/request-target.js"

const match = (pattern: string, target: string) => {
  const found = new PathPattern(pattern).match(parseTarget(target).path)
  return typeof found === "object" ? { ...found } : found
}

describe("a path without parameters", () => {
  it.each([
    ["/", "/"],
    ["/", "/?token=a/b"],
    ["/ws", "/ws"],
    ["/ws", "/ws?room=lobby"],
    ["/ws/", "/ws/"],
    ["/a/b/c", "/a/b/c"],
    ["/ws", "/ws#top"],
    ["/ws", "http://127.0.0.1/ws"],
    ["/ws", "HTTPS://app.example:8443/ws?room=lobby"],
    ["/", "http://app.example"],
    ["/", "http://app.example?token=a/b"],
  ])("%s is %s", (pattern, target) => {
    expect(match(pattern, target)).toEqual({})
  })

  it.each([
    ["/", "/ws"],
    ["/", ""],
    ["/", "*"],
    ["/ws", "/"],
    ["/ws", "/ws/"],
    ["/ws/", "/ws"],
    ["/ws", "/WS"],
    ["/ws", "/ws2"],
    ["/ws", "/ws/a"],
    ["/ws", "//ws"],
    ["/ws", "/%77s"],
    ["/ws", "ftp://127.0.0.1/ws"],
    ["/ws", "http:///ws"],
    ["/ws", "http:/ws"],
    ["/ws", "app.example:80"],
    ["/", "http:"],
  ])("%s is not %s", (pattern, target) => {
    expect(match(pattern, target)).toBeUndefined()
  })
})

describe("a path with parameters", () => {
  it.each([
    ["/ws/:room", "/ws/lobby", { room: "lobby" }],
    ["/ws/:room", "/ws/lobby?room=other", { room: "lobby" }],
    ["/ws/:room", "/ws/a%20b%2Fc%3Fd", { room: "a b/c?d" }],
    ["/ws/:room", "/ws/%E2%82%AC", { room: "€" }],
    ["/ws/:room", "/ws/a+b", { room: "a+b" }],
    ["/ws/:room", "/ws/:room", { room: ":room" }],
    ["/:team/rooms/:room", "/red/rooms/lobby", { team: "red", room: "lobby" }],
    ["/:a_1", "/x", { a_1: "x" }],
  ])("%s reads %s", (pattern, target, params) => {
    expect(match(pattern, target)).toEqual(params)
  })

  it.each([
    ["/ws/:room", "/ws"],
    ["/ws/:room", "/ws/"],
    ["/ws/:room", "/ws/?room=lobby"],
    ["/ws/:room", "/ws/lobby/"],
    ["/ws/:room", "/ws/lobby/more"],
    ["/ws/:room", "/other/lobby"],
    ["/:team/rooms/:room", "//rooms/lobby"],
    ["/:team/rooms/:room", "/red/halls/lobby"],
  ])("%s does not read %s", (pattern, target) => {
    expect(match(pattern, target)).toBeUndefined()
  })

  it.each(["/ws/%", "/ws/%zz", "/ws/%E2%82", "/ws/a%"])("says that %s is malformed", (target) => {
    expect(match("/ws/:room", target)).toBe("malformed")
  })

  it("claims no malformed path that belongs to somebody else", () => {
    expect(match("/ws/:room/chat", "/ws/%zz/other")).toBeUndefined()
    expect(match("/:team/rooms/:room", "/%zz/rooms/")).toBeUndefined()
    expect(match("/:team/rooms/:room", "/%zz/rooms/lobby")).toBe("malformed")
  })

  it("gives parameters the names of Object's own members", () => {
    const target = "/a/b/c/d"
    const params = new PathPattern("/:__proto__/:constructor/:toString/:hasOwnProperty").match(target)
    expect(Object.entries(params ?? {})).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
      ["toString", "c"],
      ["hasOwnProperty", "d"],
    ])
    expect(Object.getPrototypeOf(params)).toBeNull()
  })

  it("has no members but its parameters", () => {
    expect("constructor" in (new PathPattern("/:room").match("/lobby") as object)).toBe(false)
  })
})

describe("a pattern that is none", () => {
  it.each([["ws"], [""], ["/:"], ["/:1a"], ["/:a-b"], ["/ws/:room?"], ["/:a:b"], [42], [undefined]])(
    "%j",
    (pattern) => {
      expect(() => new PathPattern(pattern as string)).toThrow(
        expect.objectContaining({ code: "INVALID_OPTION" }),
      )
    },
  )
})
