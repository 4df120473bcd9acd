import { type BadInput, describeBadInput } from "../../support/bad-input.js"
import { close, frame, Opcode, ping, pong, text, times } from "../../support/client-frames.js"

const PROTOCOL_ERROR = { close: 1002 }
const rule = "RFC 6455, 5.5"
const full = "x".repeat(125)

const broken: readonly [string, Uint8Array][] = [
  ["a ping of 126 bytes", ping("x".repeat(126))],
  ["a pong of 126 bytes", pong("x".repeat(126))],
  ["a close of 126 bytes", close(1000, "x".repeat(124))],
  ["a ping of 64 KiB", ping("x".repeat(65_536))],
  ["a ping that claims 2^63 bytes", ping("", { length: 2n ** 63n })],
  ["a ping whose length of 1 is written in 16 bits", ping("x", { lengthBits: 16 })],
  ["a pong whose length of 1 is written in 64 bits", pong("x", { lengthBits: 64 })],
  ["a fragmented ping", ping("x", { fin: false })],
  ["a fragmented pong", pong("", { fin: false })],
  ["a fragmented close", frame(Opcode.CLOSE, [3, 0xe8], { fin: false })],
]

const taken: readonly [string, Uint8Array, string[]][] = [
  ["a ping", ping("hi"), ["pong hi"]],
  ["an empty ping", ping(), ["pong"]],
  ["a ping of 125 bytes", ping(full), [`pong ${full}`]],
  ["a ping that is no UTF-8", ping([0x80]), ["pong \ufffd"]],
  ["a pong that nobody asked for", pong("hi"), []],
  ["a pong of 125 bytes", pong(full), []],
  ["a ping and text in one write", Buffer.concat([ping("1"), text("a")]), ["pong 1", "a"]],
  ["60 pings in one write", times(60, ping("x")), Array.from({ length: 60 }, () => "pong x")],
]

describeBadInput("R1: control frames", [
  ...broken.map(([what, bytes]): BadInput => ({ what, rule, frames: [bytes], outcome: PROTOCOL_ERROR })),
  ...taken.map(([what, bytes, outcome]): BadInput => ({ what, rule, frames: [bytes], outcome })),
])
