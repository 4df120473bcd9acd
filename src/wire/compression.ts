/**
 * How messages are compressed on their way out (permessage-deflate, RFC 7692): the settings, and the part of Node's
 * `zlib` that does the work. It compresses nothing itself.
 */

import { checkCount, checkNumber, type Given, reject, resolveOptions } from "../core/options.js"

/** Which messages are compressed, and how. Each is compressed once, whatever the number of its receivers. */
export interface CompressionOptions {
  /** The size from which on a message is compressed, in bytes; smaller ones go as they are. @defaultValue 1_024 */
  readonly thresholdBytes?: number
  /** The size above which a message is compressed off the main thread, in bytes. @defaultValue 16_384 */
  readonly offloadBytes?: number
  /** From 1, the fastest, to 9, the smallest. @defaultValue 6 */
  readonly level?: number
  /**
   * How far back a repetition may lie, as a power of two, from 9 (512 bytes) to 15 (32 KiB). `attach` agrees on it
   * with each client; a client that wants less gets uncompressed messages. Where you set `serverMaxWindowBits` on a `ws`
   * server of your own, give the same number here.
   * @defaultValue 15
   */
  readonly maxWindowBits?: number
}

/** {@link CompressionOptions} with every field decided. */
export type CompressionSettings = Required<CompressionOptions>

const DEFAULTS: CompressionSettings = Object.freeze({
  thresholdBytes: 1_024,
  offloadBytes: 16_384,
  level: 6,
  maxWindowBits: 15,
})

/**
 * Checks the option and fills in the defaults; `false` stays `false`.
 * @throws InvalidOptionError with the value received, or where this platform has no `zlib`.
 */
export function resolveCompression(
  path: string,
  given: "shared" | Given<CompressionOptions> | false,
): CompressionSettings | false {
  if (given === false) return false
  if (typeof given === "string" && given !== "shared") reject(path, `"shared", an object or false`, given)
  const settings = resolveOptions<CompressionSettings>(path, DEFAULTS, given === "shared" ? undefined : given)
  checkCount(`${path}.thresholdBytes`, settings.thresholdBytes)
  checkCount(`${path}.offloadBytes`, settings.offloadBytes)
  checkWhole(`${path}.level`, settings.level, 1, 9)
  // 8 is legal on the wire, and more than zlib can do (RFC 7692, section 7.1.2.1)
  checkWhole(`${path}.maxWindowBits`, settings.maxWindowBits, 9, 15)
  if (!findZlib()) reject(path, "false where there is no zlib: it takes Node 20.16 or newer", given)
  return settings
}

function checkWhole(path: string, value: number, min: number, max: number): void {
  checkNumber(path, value, min, max)
  checkCount(path, value)
}

/** What is told to `zlib` about one message. */
export interface ZlibOptions {
  /** See {@link CompressionOptions.level}. */
  readonly level: number
  /** See {@link CompressionOptions.maxWindowBits}. */
  readonly windowBits: number
  /** The size of the pieces that the output is made in, in bytes. */
  readonly chunkSize: number
  /** How the output ends. */
  readonly finishFlush: number
}

/** The part of Node's `zlib` that is used. */
export interface Zlib {
  /** Its constants. */
  readonly constants: {
    /** Ends the output at a byte, with an empty block. */
    readonly Z_SYNC_FLUSH: number
  }
  /** Compresses at once. */
  deflateRawSync(bytes: Uint8Array | string, options: ZlibOptions): Uint8Array
  /** Compresses in another thread. */
  deflateRaw(
    bytes: Uint8Array | string,
    options: ZlibOptions,
    done: (error: Error | null, bytes: Uint8Array) => void,
  ): void
}

/** Node's `zlib`, asked for at run time: this code is also loaded by browsers, which have none. */
export function findZlib(): Zlib | undefined {
  const host = globalThis.process as { getBuiltinModule?(name: string): unknown } | undefined
  return host?.getBuiltinModule?.("node:zlib") as Zlib | undefined
}
