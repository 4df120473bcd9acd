/**
 * Tokens for tests: keys made once, tokens signed with them, and those that nobody would sign, put together by hand.
 */

import { createHmac, type KeyObject } from "node:crypto"
import { exportJWK, generateKeyPair, SignJWT } from "jose"

/** What a token is to say; `undefined` takes a claim out. */
export type Claims = Readonly<Record<string, unknown>>

/** A pair of keys, the public one also as it is published. */
export interface Keys {
  readonly kid: string
  readonly algorithm: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly jwk: Record<string, unknown>
}

/** A secret of 64 bytes, long enough for every HS. */
export const SECRET = "0123456789abcdef".repeat(4)

/** Makes a pair of keys. */
export async function makeKeys(algorithm = "ES256", kid = "one"): Promise<Keys> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: "sig" }
  return { kid, algorithm, privateKey, publicKey, jwk }
}

/** Seconds since 1970, so many from now. */
export function inSeconds(seconds: number): number {
  return Math.floor(Date.now() / 1_000) + seconds
}

/** Claims of a token that is good for a minute. */
export function claimsOf(claims: Claims = {}): Record<string, unknown> {
  return { sub: "ada", iss: "https://id.test/", aud: "chat", exp: inSeconds(60), ...claims }
}

/** A token signed with a private key. */
export function sign({ privateKey, algorithm, kid }: Keys, claims: Claims = {}): Promise<string> {
  return new SignJWT(claimsOf(claims)).setProtectedHeader({ alg: algorithm, kid }).sign(privateKey)
}

/** A token signed with a secret. */
export function signHmac(claims: Claims = {}, secret: string = SECRET, alg = "HS256"): Promise<string> {
  return new SignJWT(claimsOf(claims)).setProtectedHeader({ alg }).sign(new TextEncoder().encode(secret))
}

/** A token whose header says what one likes, with a signature by HMAC, or with none. */
export function forge(header: object, claims: object = claimsOf(), secret?: string | Buffer): string {
  const body = `${encode(header)}.${encode(claims)}`
  const signature = secret === undefined ? "" : createHmac("sha256", secret).update(body).digest("base64url")
  return `${body}.${signature}`
}

/** The public key in PEM, as it is handed out. */
export function pemOf(key: KeyObject): string {
  return String(key.export({ type: "spki", format: "pem" }))
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url")
}
