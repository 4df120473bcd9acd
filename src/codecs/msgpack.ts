/**
 * MessagePack in binary frames, by the `msgpackr` package, which you install beside this one. What comes in is looked at
 * before it is read; `msgpack-scan` says how.
 *
 * @module holdfast/codecs/msgpack
 */

import { Packr } from "msgpackr"
import { CodecError } from "../core/errors.js"
import { checkCount, checkMethods, type Given, reject, resolveOptions } from "../core/options.js"
import type { Codec } from "../wire/codec.js"
import { preview } from "../wire/codec.js"
import { scan } from "./msgpack-scan.js"

/** What packs and unpacks: a `Packr` of `msgpackr`, or anything like it. */
export interface Packer {
  /** Makes bytes of a value. */
  pack(value: unknown): Uint8Array
  /** Makes a value of bytes. */
  unpack(bytes: Uint8Array): unknown
}

/** How {@link msgpack} reads and writes. */
export interface MsgpackOptions {
  /** How many arrays and maps may lie in one another in a message that comes in. @defaultValue 64 */
  readonly maxDepth?: number
  /**
   * Extension types that may come in, besides the timestamp (-1) of the specification. Know what `msgpackr` makes of each.
   * @defaultValue none
   */
  readonly extensions?: readonly number[]
  /**
   * Packs and unpacks in place of the standard one: a `Packr` with shared structures, for example. What comes in is
   * then its business alone: nothing is looked at before.
   * @defaultValue standard MessagePack, readable in any language
   */
  readonly packer?: Packer
}

const DEFAULTS = /* @__PURE__ */ Object.freeze({
  maxDepth: 64,
  extensions: [] as readonly number[],
  packer: undefined as Packer | undefined,
})

const TIMESTAMP = -1

/**
 * MessagePack in binary frames: smaller than JSON, and with bytes, dates and integers of 64 bits. A field that is
 * `undefined` goes out as nil; integers beyond ±2⁵³ come in as `bigint`.
 *
 * What comes in is refused, with a {@link CodecError}, when it is cut off, holds more than one value, is deeper than
 * `maxDepth`, needs an extension that was not allowed, or has a key `__proto__`, or a `constructor` that has a `prototype`.
 * Bytes in a message are views of its frame.
 *
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * const hub = createHub({ codec: msgpack<FromClient, FromServer>() })
 */
export function msgpack<Incoming = unknown, Outgoing = unknown>(
  options: Given<MsgpackOptions> = {},
): Codec<Incoming, Outgoing> {
  const { maxDepth, extensions, packer } = resolveOptions("msgpack", DEFAULTS, options as never)
  checkCount("msgpack.maxDepth", maxDepth)
  if (!Array.isArray(extensions) || !extensions.every(Number.isInteger))
    reject("msgpack.extensions", "a list of extension types", extensions)
  const { pack, unpack } = bind(packer)
  const limits = packer ? undefined : { maxDepth, extensions: new Set([TIMESTAMP, ...extensions]) }
  return {
    encode(message) {
      try {
        return pack(message)
      } catch (cause) {
        const shown = typeof message
        throw new CodecError("ENCODE_FAILED", `${shown} cannot be MessagePack`, shown, { cause })
      }
    },
    decode(data) {
      if (typeof data === "string") {
        const shown = preview(data)
        throw new CodecError("DECODE_FAILED", `expected a binary frame, got text: ${shown}`, shown)
      }
      try {
        if (limits) scan(data, limits)
        return unpack(data) as Incoming
      } catch (cause) {
        const shown = preview(data)
        throw new CodecError("DECODE_FAILED", `frame cannot be read as MessagePack: ${shown}`, shown, {
          cause,
        })
      }
    },
  }
}

function bind(given: Packer | undefined): Packer {
  // records are msgpackr's own, and no other implementation reads them
  const packer = given ?? new Packr({ useRecords: false, encodeUndefinedAsNil: true })
  checkMethods("msgpack.packer", packer, ["pack", "unpack"])
  return { pack: (value) => packer.pack(value), unpack: (bytes) => packer.unpack(bytes) }
}
