import { randomBytes } from "node:crypto"
import { type BadInput, describeBadInput } from "../../support/bad-input.js"
import { binary, deflated, frame, more, Opcode, ping, Reserved, text } from "../../support/client-frames.js"

const offering = (offer: string) => ({ headers: { "Sec-WebSocket-Extensions": offer } })
const AGREED = offering("permessage-deflate; client_no_context_takeover")

const rsv1 = { reserved: Reserved.RSV1 }
const hello = deflated("hello")
const noise = randomBytes(1_000).toString("hex")

/** What a client may ask for in vain, or may not ask for (RFC 7692, section 7.1). */
const badOffers = [
  "permessage-deflate; unknown",
  "permessage-deflate; server_no_context_takeover=1",
  "permessage-deflate; client_no_context_takeover=true",
  "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
  "permessage-deflate; server_max_window_bits",
  "permessage-deflate; server_max_window_bits=7",
  "permessage-deflate; server_max_window_bits=16",
  "permessage-deflate; server_max_window_bits=ten",
  "permessage-deflate; server_max_window_bits=",
  "permessage-deflate; client_max_window_bits=7",
  "permessage-deflate; client_max_window_bits=16",
  "permessage-deflate; client_max_window_bits=-9",
  "permessage-deflate; unknown, permessage-deflate",
  "permessage-deflate; =",
  "permessage-deflate;",
  "; permessage-deflate",
  "permessage-deflate, ,",
]

const goodOffers = [
  "permessage-deflate",
  "permessage-deflate; client_max_window_bits",
  "permessage-deflate; client_max_window_bits=9",
  "permessage-deflate; server_max_window_bits=9",
  'permessage-deflate; server_max_window_bits="10"',
  "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
  "permessage-deflate; server_max_window_bits=8",
  "x-unknown; a=1, permessage-deflate",
]

const offers: readonly BadInput[] = [
  ...badOffers.map((offer) => ({ offer, outcome: { status: 400 } })),
  ...goodOffers.map((offer) => ({ offer, outcome: ["hello"] })),
].map(({ offer, outcome }) => ({
  what: `the offer ${offer}`,
  rule: "RFC 7692, 7.1",
  request: offering(offer),
  frames: [text(hello, rsv1)],
  outcome,
}))

const frames: readonly BadInput[] = [
  { what: "a compressed message", rule: "7.2.1", frames: [text(hello, rsv1)], outcome: ["hello"] },
  { what: "an uncompressed message", rule: "6", frames: [text("hello")], outcome: ["hello"] },
  {
    what: "both in turn",
    rule: "6",
    frames: [text("a"), text(hello, rsv1), binary("b")],
    outcome: ["a", "hello", "binary 62"],
  },
  { what: "an empty message", rule: "7.2.3.6", frames: [text([0], rsv1)], outcome: [""] },
  {
    what: "several blocks, one of them stored",
    rule: "7.2.3.5",
    frames: [text([0, 5, 0, 0xfa, 0xff, ...Buffer.from("Hello"), 0], rsv1)],
    outcome: ["Hello"],
  },
  {
    what: "the example of a final block",
    rule: "7.2.3.4",
    frames: [text([0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], rsv1)],
    outcome: ["Hello"],
  },
  {
    what: "a compressed message in two fragments",
    rule: "6",
    frames: [text(hello.subarray(0, 3), { fin: false, ...rsv1 }), more(hello.subarray(3))],
    outcome: ["hello"],
  },
  {
    what: "a ping between compressed fragments",
    rule: "6",
    frames: [text(hello.subarray(0, 3), { fin: false, ...rsv1 }), ping("1"), more(hello.subarray(3))],
    outcome: ["pong 1", "hello"],
  },
  { what: "a window of 9 bits", rule: "7.1.2.2", frames: [text(deflated(noise, 9), rsv1)], outcome: [noise] },
  {
    what: "RSV1 on a continuation",
    rule: "6",
    frames: [text(hello.subarray(0, 3), { fin: false, ...rsv1 }), more(hello.subarray(3), rsv1)],
    outcome: { close: 1002 },
  },
  {
    what: "RSV1 on a continuation only",
    rule: "6",
    frames: [text("a", { fin: false }), more(hello, rsv1)],
    outcome: { close: 1002 },
  },
  { what: "RSV1 on a ping", rule: "6.1", frames: [ping("x", rsv1)], outcome: { close: 1002 } },
  {
    what: "RSV1 on a close",
    rule: "6.1",
    frames: [frame(Opcode.CLOSE, [3, 0xe8], rsv1)],
    outcome: { close: 1002 },
  },
  {
    what: "RSV1 and RSV2",
    rule: "6",
    frames: [text(hello, { reserved: Reserved.RSV1 | Reserved.RSV2 })],
    outcome: { close: 1002 },
  },
  {
    what: "RSV1 and a reserved opcode",
    rule: "6",
    frames: [frame(3, hello, rsv1)],
    outcome: { close: 1002 },
  },
  {
    what: "bytes that are no deflate",
    rule: "7.2.2",
    frames: [text([0xff, 0xff, 0xff], rsv1)],
    outcome: { close: 1007 },
  },
  { what: "a reserved kind of block", rule: "7.2.2", frames: [text([0x07], rsv1)], outcome: { close: 1007 } },
  {
    what: "a stored block whose length is not confirmed",
    rule: "7.2.2",
    frames: [text([0, 5, 0, 0, 0, 1, 2, 3, 4, 5], rsv1)],
    outcome: { close: 1007 },
  },
  {
    what: "a repetition of what never was",
    rule: "7.2.2",
    frames: [text([0x02, 0x3f, 0x00], rsv1)],
    outcome: { close: 1007 },
  },
  {
    what: "random bytes",
    rule: "7.2.2",
    frames: [binary(Buffer.alloc(300, "\xee\x12\x9b", "latin1"), rsv1)],
    outcome: { close: 1007 },
  },
  {
    what: "compressed text that is no UTF-8",
    rule: "RFC 6455, 8.1",
    frames: [text(deflated(Buffer.from([0xff, 0xfe])), rsv1)],
    outcome: { close: 1007 },
  },
  {
    what: "65,536 bytes, inflated",
    rule: "maxPayloadBytes",
    frames: [text(deflated("x".repeat(65_536)), rsv1)],
    outcome: ["x".repeat(65_536)],
  },
  {
    what: "one byte more",
    rule: "maxPayloadBytes",
    frames: [text(deflated("x".repeat(65_537)), rsv1)],
    outcome: { close: 1009 },
  },
  {
    what: "a bomb: 48 MiB of zeros in 48 kB",
    rule: "maxPayloadBytes",
    frames: [binary(deflated(Buffer.alloc(48 * 1_048_576)), rsv1)],
    outcome: { close: 1009 },
  },
  {
    what: "a bomb in fragments",
    rule: "maxPayloadBytes",
    frames: inPieces(deflated(Buffer.alloc(16 * 1_048_576)), 100),
    outcome: { close: 1009 },
  },
  {
    what: "129 fragments of one compressed message",
    rule: "maxFragments",
    frames: inPieces(deflated(noise), 129),
    outcome: { close: 1008 },
  },
].map((it) => ({ ...it, rule: /^\d/.test(it.rule) ? `RFC 7692, ${it.rule}` : it.rule, request: AGREED }))

/** One compressed message in so many frames. */
function inPieces(bytes: Buffer, count: number): Uint8Array[] {
  const size = Math.ceil(bytes.length / count)
  return Array.from({ length: count }, (_, index) => {
    const piece = bytes.subarray(index * size, (index + 1) * size)
    const fin = index === count - 1
    return index === 0 ? text(piece, { fin, ...rsv1 }) : more(piece, { fin })
  })
}

describeBadInput("R1: compression", [...offers, ...frames], { isCompressed: true })
