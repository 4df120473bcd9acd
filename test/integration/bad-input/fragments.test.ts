import { type BadInput, describeBadInput } from "../../support/bad-input.js"
import { binary, close, fragments, more, ping, Reserved, text, times } from "../../support/client-frames.js"

const open = { fin: false }
const PROTOCOL_ERROR = { close: 1002 }

const rule = "RFC 6455, 5.4"

const broken: readonly [string, Uint8Array[]][] = [
  ["a continuation of nothing", [more("x")]],
  ["an empty continuation of nothing", [more()]],
  ["a continuation of nothing that is not the last", [more("x", open)]],
  ["a continuation after a message that is complete", [text("a"), more("x")]],
  ["a continuation after a fragmented message that is complete", [text("a", open), more("b"), more("c")]],
  ["text within text", [text("a", open), text("b")]],
  ["text within a binary message", [binary("a", open), text("b")]],
  ["a binary frame within text", [text("a", open), binary("b")]],
  ["a message that begins twice", [text("a", open), text("b", open)]],
  ["a continuation with a reserved bit", [text("a", open), more("b", { reserved: Reserved.RSV1 })]],
  ["a continuation without a mask", [text("a", open), more("b", { mask: false })]],
  [
    "a continuation with RSV3 behind a ping",
    [text("a", open), ping(), more("b", { reserved: Reserved.RSV3 })],
  ],
]

const taken: readonly [string, Uint8Array[], string[]][] = [
  ["two fragments", [text("a", open), more("b")], ["ab"]],
  ["empty fragments only", [text("", open), more("", open), more()], [""]],
  ["an empty first and last fragment", [text("", open), more("a", open), more()], ["a"]],
  ["a binary message in three", [binary([1], open), more([2], open), more([3])], ["binary 010203"]],
  [
    "pings between fragments",
    [text("a", open), ping("1"), more("b", open), ping("2"), more("c")],
    ["pong 1", "pong 2", "abc"],
  ],
  ["128 fragments, as many as may be", [fragments(128, 1)], ["x".repeat(128)]],
  [
    "two messages of 128 fragments",
    [fragments(128, 1), fragments(128, 2)],
    ["x".repeat(128), "x".repeat(256)],
  ],
]

describeBadInput("R1: fragments", [
  ...broken.map(([what, frames]): BadInput => ({ what, rule, frames, outcome: PROTOCOL_ERROR })),
  ...taken.map(([what, frames, outcome]): BadInput => ({ what, rule, frames, outcome })),
  { what: "129 fragments", rule: "maxFragments", frames: [fragments(129, 1)], outcome: { close: 1008 } },
  {
    what: "129 fragments without a byte",
    rule: "maxFragments",
    frames: [fragments(129, 0)],
    outcome: { close: 1008 },
  },
  {
    what: "fragments without an end",
    rule: "maxFragments",
    frames: [text("", open), times(1_000, more("", open))],
    outcome: { close: 1008 },
  },
  {
    what: "a close in the middle of a message",
    rule: "RFC 6455, 5.5.1",
    frames: [text("a", open), close(1001)],
    outcome: { close: 1001 },
  },
])
