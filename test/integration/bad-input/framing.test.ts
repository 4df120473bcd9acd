import { type BadInput, describeBadInput } from "../../support/bad-input.js"
import { binary, frame, more, Opcode, ping, Reserved, text } from "../../support/client-frames.js"

const PROTOCOL_ERROR = { close: 1002 }
const TOO_BIG = { close: 1009 }
const { RSV1, RSV2, RSV3 } = Reserved

const reservedBits: readonly BadInput[] = [
  ["RSV1 on text", text("x", { reserved: RSV1 })],
  ["RSV2 on text", text("x", { reserved: RSV2 })],
  ["RSV3 on text", text("x", { reserved: RSV3 })],
  ["all three on text", text("x", { reserved: RSV1 | RSV2 | RSV3 })],
  ["RSV1 on a binary frame", binary("x", { reserved: RSV1 })],
  ["RSV2 on an empty binary frame", binary("", { reserved: RSV2 })],
  ["RSV1 on a ping", ping("x", { reserved: RSV1 })],
  ["RSV3 on a pong", frame(Opcode.PONG, "", { reserved: RSV3 })],
  ["RSV2 on a close", frame(Opcode.CLOSE, [3, 0xe8], { reserved: RSV2 })],
].map(([what, bytes]) => ({
  what: `${what} with no extension agreed on`,
  rule: "RFC 6455, 5.2",
  frames: [bytes as Buffer],
  outcome: PROTOCOL_ERROR,
}))

const reservedOpcodes: readonly BadInput[] = [3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf].map((opcode) => ({
  what: `opcode 0x${opcode.toString(16)}, which is reserved`,
  rule: "RFC 6455, 5.2",
  frames: [frame(opcode, "x")],
  outcome: PROTOCOL_ERROR,
}))

const masking: readonly BadInput[] = [
  ["text", text("x", { mask: false })],
  ["empty text", text("", { mask: false })],
  ["a binary frame", binary("x", { mask: false })],
  ["a ping", ping("x", { mask: false })],
  ["a close", frame(Opcode.CLOSE, [3, 0xe8], { mask: false })],
].map(([what, bytes]) => ({
  what: `${what} without a mask`,
  rule: "RFC 6455, 5.1",
  frames: [bytes as Buffer],
  outcome: PROTOCOL_ERROR,
}))

const lengths: readonly BadInput[] = [
  {
    what: "a length of 2^63, whose first bit must be 0",
    frames: [binary("", { length: 2n ** 63n })],
    outcome: TOO_BIG,
  },
  { what: "a length of 2^64 - 1", frames: [text("", { length: 2n ** 64n - 1n })], outcome: TOO_BIG },
  { what: "a length of 2^53", frames: [binary("", { length: 2n ** 53n })], outcome: TOO_BIG },
  { what: "a length of 2^32 + 1", frames: [binary("x", { length: 2n ** 32n + 1n })], outcome: TOO_BIG },
  { what: "a length of 2^31", frames: [binary("", { length: 2 ** 31 })], outcome: TOO_BIG },
].map((it) => ({ ...it, rule: "RFC 6455, 5.2" }))

const taken: readonly BadInput[] = [
  { what: "a mask of zeros", frames: [text("hi", { mask: [0, 0, 0, 0] })], outcome: ["hi"] },
  { what: "a mask of ones", frames: [text("hi", { mask: [255, 255, 255, 255] })], outcome: ["hi"] },
  { what: "empty text", frames: [text()], outcome: [""] },
  { what: "an empty binary frame", frames: [binary()], outcome: ["binary"] },
  {
    what: "125 bytes, the longest short length",
    frames: [text("x".repeat(125))],
    outcome: ["x".repeat(125)],
  },
  { what: "126 bytes, in 16 bits", frames: [text("x".repeat(126))], outcome: ["x".repeat(126)] },
  // a server may be lenient about a length that is written too long, and ws is
  {
    what: "5 bytes, their length in 64 bits",
    frames: [text("hello", { lengthBits: 64 })],
    outcome: ["hello"],
  },
  {
    what: "several frames in one write",
    frames: [text("a"), binary([0, 255]), text("b")],
    outcome: ["a", "binary 00ff", "b"],
  },
].map((it) => ({ ...it, rule: "RFC 6455, 5.2" }))

describeBadInput("R1: framing", [
  ...reservedBits,
  ...reservedOpcodes,
  ...masking,
  ...lengths,
  ...taken,
  {
    what: "what follows a breach",
    rule: "RFC 6455, 7.1.7",
    frames: [more("x"), text("not to be read")],
    outcome: PROTOCOL_ERROR,
  },
  {
    what: "a good message before a breach",
    rule: "RFC 6455, 7.1.7",
    frames: [text("fine"), text("x", { mask: false })],
    outcome: PROTOCOL_ERROR,
  },
  {
    what: "an HTTP request where frames belong",
    rule: "RFC 6455, 5.2",
    frames: [Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n")],
    outcome: PROTOCOL_ERROR,
  },
])
