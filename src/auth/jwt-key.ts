/**
 * The key that tokens are checked with, in any of the forms people hold it in, and whether it fits the algorithms. It
 * knows no tokens. What it throws never has the key in it.
 */

import { createPublicKey, createSecretKey, type JsonWebKey, KeyObject, type webcrypto } from "node:crypto"
import { checkOneOf, reject } from "../core/options.js"

/** An algorithm that tokens may be signed with (RFC 7518, section 3.1; RFC 8037, section 3.1; RFC 9864, section 2.2). */
export type JwtAlgorithm =
  | "HS256"
  | "HS384"
  | "HS512"
  | "RS256"
  | "RS384"
  | "RS512"
  | "PS256"
  | "PS384"
  | "PS512"
  | "ES256"
  | "ES384"
  | "ES512"
  | "EdDSA"
  | "Ed25519"

/**
 * A key. For HS: the secret, as bytes, or as a string whose UTF-8 is meant. For the others: the public key in PEM
 * (`PUBLIC KEY` or `CERTIFICATE`). For both: a JWK, or a key of `node:crypto` or of Web Crypto.
 */
export type JwtKey = string | Uint8Array | JsonWebKey | KeyObject | webcrypto.CryptoKey

/** What a key must be for an algorithm. */
type Fit = (key: KeyObject) => boolean

/** A secret is at least as long as the hash (RFC 7518, section 3.2), and an RSA key has 2048 bits (section 3.3). */
const secretOf =
  (bytes: number): Fit =>
  (key) =>
    key.type === "secret" && (key.symmetricKeySize ?? 0) >= bytes
const isRsa: Fit = ({ asymmetricKeyType, asymmetricKeyDetails }) =>
  asymmetricKeyType === "rsa" && (asymmetricKeyDetails?.modulusLength ?? 0) >= 2_048
const onCurve =
  (curve: string): Fit =>
  (key) =>
    key.asymmetricKeyDetails?.namedCurve === curve
const isEd25519: Fit = (key) => key.asymmetricKeyType === "ed25519"

const FITS: Readonly<Record<JwtAlgorithm, readonly [what: string, fits: Fit]>> = {
  HS256: ["a secret of at least 32 bytes", secretOf(32)],
  HS384: ["a secret of at least 48 bytes", secretOf(48)],
  HS512: ["a secret of at least 64 bytes", secretOf(64)],
  RS256: ["an RSA key of at least 2048 bits", isRsa],
  RS384: ["an RSA key of at least 2048 bits", isRsa],
  RS512: ["an RSA key of at least 2048 bits", isRsa],
  PS256: ["an RSA key of at least 2048 bits", isRsa],
  PS384: ["an RSA key of at least 2048 bits", isRsa],
  PS512: ["an RSA key of at least 2048 bits", isRsa],
  ES256: ["a key on the curve P-256", onCurve("prime256v1")],
  ES384: ["a key on the curve P-384", onCurve("secp384r1")],
  ES512: ["a key on the curve P-521", onCurve("secp521r1")],
  EdDSA: ["an Ed25519 key", isEd25519],
  Ed25519: ["an Ed25519 key", isEd25519],
}
const ALGORITHMS = Object.keys(FITS) as readonly JwtAlgorithm[]

/**
 * The algorithms, which nobody guesses: what a token names is the choice of whoever made it.
 * @throws InvalidOptionError with the value received.
 */
export function checkAlgorithms(given: unknown): readonly JwtAlgorithm[] {
  if (!Array.isArray(given) || given.length === 0) {
    return reject("algorithms", "a list of those that tokens may be signed with", given)
  }
  return given.map((it) => checkOneOf("algorithms", it as JwtAlgorithm, ALGORITHMS))
}

/** Whether an algorithm goes by a secret that both sides have. */
export function isSymmetric(algorithm: JwtAlgorithm): boolean {
  return algorithm.startsWith("HS")
}

/**
 * The key, read. One that fits one of the algorithms but not the others is refused: a public key that is taken for a
 * secret lets everybody sign.
 * @throws InvalidOptionError without the value received, which is nobody's business.
 */
export function readKey(key: JwtKey, algorithms: readonly JwtAlgorithm[]): KeyObject {
  const read = parse(key)
  for (const algorithm of algorithms) {
    const [what, fits] = FITS[algorithm]
    if (!fits(read)) reject("key", `${what} for ${algorithm}`, describe(read))
  }
  return read
}

function parse(key: JwtKey): KeyObject {
  try {
    if (typeof key === "string") {
      return key.includes("-----BEGIN") ? createPublicKey(key) : createSecretKey(key, "utf8")
    }
    if (key instanceof Uint8Array) return createSecretKey(key)
    if (key instanceof KeyObject) return key.type === "private" ? createPublicKey(key) : key
    if (Object.prototype.toString.call(key) === "[object CryptoKey]") {
      return parse(KeyObject.from(key as webcrypto.CryptoKey))
    }
    const jwk = key as JsonWebKey
    if (jwk.kty !== "oct") return createPublicKey({ key: jwk, format: "jwk" })
    return createSecretKey(String(jwk.k), "base64url")
  } catch {
    return reject("key", "a secret, a public key in PEM, a JWK, or a key object", `unreadable ${typeof key}`)
  }
}

function describe({
  type,
  symmetricKeySize,
  asymmetricKeyType,
  asymmetricKeyDetails = {},
}: KeyObject): string {
  if (type === "secret") return `a secret of ${symmetricKeySize} bytes`
  const { modulusLength, namedCurve } = asymmetricKeyDetails
  return [asymmetricKeyType, namedCurve, modulusLength && `${modulusLength} bits`].filter(Boolean).join(", ")
}
