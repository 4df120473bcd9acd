import { type BadInput, describeBadInput } from "../../support/bad-input.js"
import { binary, fragments, more, text, times } from "../../support/client-frames.js"

const LIMIT = 65_536
const rule = "R3: maxPayloadBytes"
const TOO_BIG = { close: 1009 }
const open = { fin: false }
const kib = "x".repeat(1_024)

describeBadInput("R1: sizes", [
  { what: "64 KiB of text", rule, frames: [text("x".repeat(LIMIT))], outcome: ["x".repeat(LIMIT)] },
  {
    what: "64 KiB of bytes",
    rule,
    frames: [binary(Buffer.alloc(LIMIT))],
    outcome: [`binary ${"00".repeat(LIMIT)}`],
  },
  { what: "one byte more of text", rule, frames: [text("x".repeat(LIMIT + 1))], outcome: TOO_BIG },
  { what: "one byte more of bytes", rule, frames: [binary(Buffer.alloc(LIMIT + 1))], outcome: TOO_BIG },
  { what: "16 MiB", rule, frames: [binary(Buffer.alloc(16 * 1_048_576))], outcome: TOO_BIG },
  { what: "64 KiB in 64 fragments", rule, frames: [fragments(64, 1_024)], outcome: [kib.repeat(64)] },
  { what: "65 KiB in 65 fragments", rule, frames: [fragments(65, 1_024)], outcome: TOO_BIG },
  {
    what: "64 KiB and an empty fragment",
    rule,
    frames: [text("x".repeat(LIMIT), open), more()],
    outcome: ["x".repeat(LIMIT)],
  },
  {
    what: "64 KiB and a fragment of one byte",
    rule,
    frames: [text("x".repeat(LIMIT), open), more("x")],
    outcome: TOO_BIG,
  },
  // the header alone is enough: nothing is waited for, and no room is made
  {
    what: "a header that claims 4 GiB, and nothing behind it",
    rule,
    frames: [binary("", { length: 2 ** 32 })],
    outcome: TOO_BIG,
  },
  {
    what: "a second fragment that claims 4 GiB",
    rule,
    frames: [binary("a", open), more("", { length: 2 ** 32 })],
    outcome: TOO_BIG,
  },
  {
    what: "12 messages of 64 KiB in one piece",
    rule,
    frames: [times(12, binary(Buffer.alloc(LIMIT)))],
    outcome: Array.from({ length: 12 }, () => `binary ${"00".repeat(LIMIT)}`),
  },
] satisfies BadInput[])
