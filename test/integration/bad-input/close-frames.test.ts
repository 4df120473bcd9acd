import { type BadInput, describeBadInput } from "../../support/bad-input.js"
import { close, frame, Opcode, ping, text } from "../../support/client-frames.js"

const rule = "RFC 6455, 7.4"

/** Codes that may not be sent: out of range, reserved, or meant for no wire (RFC 6455, 7.4.1 and 7.4.2). */
const FORBIDDEN = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]
const ALLOWED = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
]

describeBadInput("R1: close frames", [
  ...FORBIDDEN.map(
    (code): BadInput => ({ what: `code ${code}`, rule, frames: [close(code)], outcome: { close: 1002 } }),
  ),
  ...ALLOWED.map(
    (code): BadInput => ({ what: `code ${code}`, rule, frames: [close(code)], outcome: { close: code } }),
  ),
  { what: "no code", rule, frames: [frame(Opcode.CLOSE)], outcome: { close: 1005 } },
  {
    what: "half a code",
    rule: "RFC 6455, 5.5.1",
    frames: [frame(Opcode.CLOSE, [3])],
    outcome: { close: 1002 },
  },
  { what: "a reason of 123 bytes", rule, frames: [close(1000, "x".repeat(123))], outcome: { close: 1000 } },
  { what: "a reason of 124 bytes", rule, frames: [close(1000, "x".repeat(124))], outcome: { close: 1002 } },
  {
    what: "a message behind a close",
    rule: "RFC 6455, 5.5.1",
    frames: [close(1000), text("too late")],
    outcome: { close: 1000 },
  },
  {
    what: "a ping behind a close",
    rule: "RFC 6455, 5.5.1",
    frames: [close(1000), ping("too late")],
    outcome: { close: 1000 },
  },
  {
    what: "two closes",
    rule: "RFC 6455, 7.1.6",
    frames: [close(4000), close(4001)],
    outcome: { close: 4000 },
  },
  {
    what: "a breach behind a close",
    rule: "RFC 6455, 7.1.5",
    frames: [close(4000), text("x", { mask: false })],
    outcome: { close: 4000 },
  },
])
