import { type BadInput, describeBadInput } from "../../support/bad-input.js"
import { binary, close, more, ping, text } from "../../support/client-frames.js"

const rule = "RFC 6455, 8.1"

const invalid: readonly [string, number[]][] = [
  ["a byte that never is one", [0xff]],
  ["another", [0xfe, 0x61]],
  ["a continuation byte alone", [0x80]],
  ["a first byte alone", [0xc3]],
  ["a first byte and an ASCII one", [0xc3, 0x28]],
  ["two bytes of three", [0xe2, 0x82]],
  ["three bytes of four", [0xf0, 0x9f, 0x98]],
  ["a slash in two bytes", [0xc0, 0xaf]],
  ["a slash in three bytes", [0xe0, 0x80, 0xaf]],
  ["a slash in four bytes", [0xf0, 0x80, 0x80, 0xaf]],
  ["a null in two bytes", [0xc0, 0x80]],
  ["a lone high surrogate", [0xed, 0xa0, 0x80]],
  ["a lone low surrogate", [0xed, 0xbf, 0xbf]],
  ["a pair of surrogates", [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
  ["a code point above U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
  ["a character in five bytes", [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ["a bad byte at the end of much that is good", [...Buffer.from("x".repeat(2_000)), 0xc3]],
]

const valid: readonly [string, string][] = [
  ["characters of one to four bytes", "aé€😀"],
  ["a byte order mark", "\ufeffa"],
  ["the last code point", "\u{10ffff}"],
  ["a non-character", "\uffff"],
  ["a null", "\0"],
]

/** One frame for each byte: every character of several bytes is cut everywhere. */
function inFragments(bytes: readonly number[]): Buffer {
  const part = (byte: number, index: number) =>
    (index === 0 ? text : more)([byte], { fin: index === bytes.length - 1 })
  return Buffer.concat(bytes.map(part))
}

const few = invalid.filter(([, bytes]) => bytes.length <= 128)

describeBadInput("R1: UTF-8", [
  ...invalid.map(
    ([what, bytes]): BadInput => ({ what, rule, frames: [text(bytes)], outcome: { close: 1007 } }),
  ),
  ...few.map(
    ([what, bytes]): BadInput => ({
      what: `${what}, a byte in each fragment`,
      rule,
      frames: [inFragments(bytes)],
      outcome: { close: 1007 },
    }),
  ),
  ...valid.flatMap(([what, characters]): BadInput[] => [
    { what, rule, frames: [text(characters)], outcome: [characters] },
    {
      what: `${what}, a byte in each fragment`,
      rule,
      frames: [inFragments([...Buffer.from(characters)])],
      outcome: [characters],
    },
  ]),
  {
    what: "a character over two fragments with a ping between them",
    rule,
    frames: [text([0xe2, 0x82], { fin: false }), ping("1"), more([0xac])],
    outcome: ["pong 1", "€"],
  },
  {
    what: "a first half whose second half is another's",
    rule,
    frames: [text([0xe2], { fin: false }), more([0x28, 0xac])],
    outcome: { close: 1007 },
  },
  {
    what: "bytes that are no text, in a binary frame",
    rule,
    frames: [binary([0xff, 0xfe])],
    outcome: ["binary fffe"],
  },
  {
    what: "a reason for a close that is no UTF-8",
    rule: "RFC 6455, 5.5.1",
    frames: [close(1000, [0xff])],
    outcome: { close: 1007 },
  },
  {
    what: "a reason for a close that is cut in a character",
    rule: "RFC 6455, 5.5.1",
    frames: [close(1000, [0x61, 0xe2, 0x82])],
    outcome: { close: 1007 },
  },
])
