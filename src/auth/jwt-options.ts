/**
 * What `jwt` can be told, and what is made of it before the first token comes.
 */

import type { JsonWebKey, KeyObject } from "node:crypto"
import { isSendableCloseCode } from "../core/close-codes.js"
import { type Logger, resolveLogger } from "../core/logger.js"
import { checkFunction, checkMs, checkNumber, type Given, reject, resolveOptions } from "../core/options.js"
import { type Clock, systemClock } from "../core/timer.js"
import type { MaybePromise } from "../core/types.js"
import { checkAlgorithms, isSymmetric, type JwtAlgorithm, type JwtKey, readKey } from "./jwt-key.js"
import { type TokenSource, TokenSources } from "./token-source.js"

/** What a token says, once it was checked (RFC 7519, section 4.1). Only what a check was made of has a sure type. */
export interface JwtClaims {
  /** Who made it. */
  readonly iss?: string
  /** Whom it is about. */
  readonly sub?: string
  /** For whom it is. */
  readonly aud?: string | string[]
  /** When it expires, in seconds since 1970. */
  readonly exp?: number
  /** From when on it is valid, in seconds since 1970. */
  readonly nbf?: number
  /** When it was made, in seconds since 1970. */
  readonly iat?: number
  /** Its own name. */
  readonly jti?: string
  /** Whatever else was put in. */
  readonly [claim: string]: unknown
}

/** A set of keys, as JSON (RFC 7517, section 5). */
export interface JwtKeySet {
  /** The keys. */
  readonly keys: readonly JsonWebKey[]
}

/** How tokens are checked. */
export interface JwtOptions<Data = JwtClaims> {
  /**
   * The algorithms tokens may be signed with. There is no default, as a token's own word is not to be believed, and HS
   * cannot stand beside others: who knows a public key could sign with it.
   */
  readonly algorithms: readonly JwtAlgorithm[]
  /** The key, where there is one. Either this or `jwks`. */
  readonly key?: JwtKey
  /**
   * Where the keys are published: the address of a key set, or the set itself. It is fetched when the first token comes, and
   * again for a key that it does not have.
   */
  readonly jwks?: string | URL | JwtKeySet
  /** Who may have made a token. @defaultValue anybody who has the key */
  readonly issuer?: string | readonly string[]
  /** For whom a token must be; one of several. @defaultValue not checked */
  readonly audience?: string | readonly string[]
  /** Where tokens are, or several such places: the first that has one decides. @defaultValue "header" */
  readonly from?: TokenSource | readonly TokenSource[]
  /** How far clocks may differ, in seconds. A login ends that much after the token's `exp`. @defaultValue 5 */
  readonly clockToleranceS?: number
  /** Claims without which a token is not taken. Without `exp` a login does not end by itself. @defaultValue ["exp"] */
  readonly requiredClaims?: readonly string[]
  /**
   * The claim that says whose login it is, which must be there, or a function that says so, which may return
   * `undefined`. `false` for logins that are nobody's.
   * @defaultValue "sub"
   */
  readonly userId?: string | false | ((claims: JwtClaims) => string | undefined)
  /** What becomes `connection.data`. May be async. @defaultValue the claims */
  readonly data?: (claims: JwtClaims) => MaybePromise<Data>
  /**
   * Accepts the handshake and closes with this code instead of answering 401, so that a page can read it. With 4401 a
   * `ReconnectingClient` stops.
   * @defaultValue the HTTP answer
   */
  readonly closeCode?: number
  /** How long a fetched key set is used, in milliseconds. @defaultValue 600_000 */
  readonly jwksMaxAgeMs?: number
  /** How long no unknown key makes the key set be fetched again, in milliseconds. @defaultValue 30_000 */
  readonly jwksCooldownMs?: number
  /** How long a key set may take to come, in milliseconds. @defaultValue 5_000 */
  readonly jwksTimeoutMs?: number
  /** Takes a line at level `info` for each request that is refused; `false` for silence. @defaultValue as for `attach` */
  readonly logger?: Logger | false
  /** Where time comes from, but for what `jwks` does. @defaultValue the platform's */
  readonly clock?: Clock
}

type Optional = "key" | "jwks" | "issuer" | "audience" | "data" | "closeCode" | "logger"
type Defaults = Required<Omit<JwtOptions<unknown>, Optional>> & {
  readonly [K in Optional]: JwtOptions<unknown>[K] | undefined
}

/** {@link JwtOptions} with everything decided. */
export interface JwtSettings<Data>
  extends Omit<Defaults, "key" | "jwks" | "issuer" | "audience" | "from" | "data" | "logger"> {
  readonly keys: KeyObject | URL | JwtKeySet
  readonly issuer: readonly string[] | undefined
  readonly audience: readonly string[] | undefined
  readonly sources: TokenSources
  readonly data: ((claims: JwtClaims) => MaybePromise<Data>) | undefined
  readonly logger: Logger
}

const DEFAULTS: Defaults = Object.freeze({
  algorithms: [],
  key: undefined,
  jwks: undefined,
  issuer: undefined,
  audience: undefined,
  from: "header",
  clockToleranceS: 5,
  requiredClaims: Object.freeze(["exp"]),
  userId: "sub",
  data: undefined,
  closeCode: undefined,
  jwksMaxAgeMs: 600_000,
  jwksCooldownMs: 30_000,
  jwksTimeoutMs: 5_000,
  logger: undefined,
  clock: systemClock,
})

/**
 * Checks options and fills in the defaults.
 * @throws InvalidOptionError with the value received, unless that is a key.
 */
export function resolveJwt<Data>(options: Given<JwtOptions<Data>>): JwtSettings<Data> {
  const given = resolveOptions("jwt", DEFAULTS, options)
  const algorithms = checkAlgorithms(given.algorithms)
  checkFunction("data", given.data)
  checkNumber("clockToleranceS", given.clockToleranceS)
  checkMs("jwksMaxAgeMs", given.jwksMaxAgeMs)
  checkMs("jwksCooldownMs", given.jwksCooldownMs)
  if (!Number.isInteger(checkMs("jwksTimeoutMs", given.jwksTimeoutMs, 1))) {
    reject("jwksTimeoutMs", "a whole number", given.jwksTimeoutMs)
  }
  checkUserId(given.userId)
  checkCloseCode(given.closeCode)
  const { key: _key, jwks: _jwks, from, ...rest } = given
  return {
    ...rest,
    algorithms,
    keys: keysOf(given, algorithms),
    issuer: strings("issuer", given.issuer),
    audience: strings("audience", given.audience),
    requiredClaims: strings("requiredClaims", given.requiredClaims, 0) ?? [],
    sources: new TokenSources(from),
    data: given.data as JwtSettings<Data>["data"],
    logger: resolveLogger(given.logger),
  }
}

function keysOf({ key, jwks }: Defaults, algorithms: readonly JwtAlgorithm[]): JwtSettings<unknown>["keys"] {
  const symmetric = algorithms.filter(isSymmetric)
  if (symmetric.length > 0 && symmetric.length < algorithms.length) {
    reject("algorithms", "either all HS or none", algorithms.join(", "))
  }
  if ((key === undefined) === (jwks === undefined)) {
    reject("jwt", "told either key or jwks", key === undefined ? "neither" : "both")
  }
  if (key !== undefined) return readKey(key, algorithms)
  if (symmetric.length > 0)
    reject("algorithms", "others than HS where keys are published", symmetric.join(", "))
  return checkKeySet(jwks)
}

function checkKeySet(jwks: JwtOptions["jwks"]): URL | JwtKeySet {
  if (typeof jwks === "object" && jwks !== null && "keys" in jwks && isKeyList(jwks.keys)) return jwks
  const isAddress = typeof jwks === "string" || jwks instanceof URL
  const url = isAddress && URL.canParse(String(jwks)) ? new URL(jwks) : undefined
  if (url?.protocol === "https:" || url?.protocol === "http:") return url
  return reject("jwks", "an http or https address, or a set of keys", jwks)
}

function isKeyList(keys: unknown): boolean {
  return Array.isArray(keys) && keys.every((it) => typeof it === "object" && it !== null)
}

function checkUserId(userId: Defaults["userId"]): void {
  if (userId === false || typeof userId === "function") return
  if (typeof userId !== "string" || userId === "") reject("userId", "a claim, a function, or false", userId)
}

function checkCloseCode(closeCode: number | undefined): void {
  if (closeCode === undefined || isSendableCloseCode(closeCode)) return
  reject("closeCode", "1000–1014 but for 1004–1006, or 3000–4999", closeCode)
}

function strings(path: string, given: unknown, min = 1): readonly string[] | undefined {
  if (given === undefined) return undefined
  const list: unknown[] = Array.isArray(given) ? given : [given]
  const areNames = list.length >= min && list.every((it) => typeof it === "string" && it !== "")
  return areNames ? (list as string[]) : reject(path, "a string, or a list of strings", given)
}
