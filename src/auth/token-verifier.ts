/**
 * Checks tokens with `jose`, and turns what it says into the name of a check. The only file that imports it; it knows no
 * requests.
 */

import type { JsonWebKey, KeyObject } from "node:crypto"
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JWK,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from "jose"
import { AuthUnavailableError, hasErrorCode } from "../core/errors.js"
import type { JwtClaims, JwtKeySet, JwtSettings } from "./jwt-options.js"
import { type TokenCheck, TokenError } from "./token-error.js"

/** What `jose` calls the checks. Its messages and causes are not passed on, as they quote the token. */
const CHECKS: Readonly<Record<string, TokenCheck>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: "algorithm",
  ERR_JOSE_NOT_SUPPORTED: "algorithm",
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: "key",
  ERR_JWKS_NO_MATCHING_KEY: "key",
  ERR_JWS_INVALID: "malformed",
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "signature",
  ERR_JWT_CLAIM_VALIDATION_FAILED: "claims",
  ERR_JWT_EXPIRED: "expired",
  ERR_JWT_INVALID: "malformed",
}
const CLAIM_CHECKS: Readonly<Record<string, TokenCheck>> = { iss: "issuer", aud: "audience", nbf: "early" }

/** Checks one token after another against the same rules. */
export class TokenVerifier {
  readonly #settings: JwtSettings<unknown>
  readonly #getKey: JWTVerifyGetKey

  constructor(settings: JwtSettings<unknown>) {
    this.#settings = settings
    this.#getKey = keyGetter(settings)
  }

  /**
   * What a token says.
   * @throws TokenError when it does not pass a check, and AuthUnavailableError when the keys cannot be had.
   */
  async verify(token: string): Promise<JwtClaims> {
    try {
      const { payload } = await jwtVerify(token, this.#getKey, this.#rules())
      return payload
    } catch (error) {
      const check = checkOf(error)
      if (check) throw new TokenError(check)
      if (hasErrorCode(error, "AUTH_UNAVAILABLE")) throw error
      // it is in the set, and too short, say: a fault of whoever publishes it, and not of the token
      throw new AuthUnavailableError("the key that the token names cannot be used", { cause: error })
    }
  }

  #rules(): JWTVerifyOptions {
    const { algorithms, issuer, audience, requiredClaims, clockToleranceS, clock } = this.#settings
    return {
      algorithms: [...algorithms],
      requiredClaims: [...requiredClaims],
      clockTolerance: clockToleranceS,
      currentDate: new Date(clock.date()),
      ...(issuer && { issuer: [...issuer] }),
      ...(audience && { audience: [...audience] }),
    }
  }
}

/** Which check `jose` means; `undefined` where it is not about the token. */
function checkOf(error: unknown): TokenCheck | undefined {
  if (!(error instanceof errors.JOSEError)) return undefined
  const check = CHECKS[error.code]
  if (!(error instanceof errors.JWTClaimValidationFailed) || error.reason === "invalid") return check
  return error.reason === "missing" ? check : (CLAIM_CHECKS[error.claim] ?? check)
}

function keyGetter(settings: JwtSettings<unknown>): JWTVerifyGetKey {
  const { keys } = settings
  if (keys instanceof URL) return remoteKeys(keys, settings)
  return "keys" in keys ? localKeys(keys) : singleKey(keys)
}

function singleKey(key: KeyObject): JWTVerifyGetKey {
  return () => key
}

function localKeys({ keys }: JwtKeySet): JWTVerifyGetKey {
  return createLocalJWKSet({ keys: keys.filter(isJwk) })
}

/** One that does not say of which type it is fits no token (RFC 7517, section 4.1). */
function isJwk(key: JsonWebKey): key is JsonWebKey & JWK {
  return typeof key.kty === "string"
}

/** What goes wrong while keys are fetched says nothing about the token, and the client may come back with it. */
function remoteKeys(url: URL, settings: JwtSettings<unknown>): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(url, {
    cacheMaxAge: settings.jwksMaxAgeMs,
    cooldownDuration: settings.jwksCooldownMs,
    timeoutDuration: settings.jwksTimeoutMs,
  })
  return async (header, token) => {
    try {
      return await keys(header, token)
    } catch (error) {
      if (checkOf(error)) throw error
      throw new AuthUnavailableError(`the keys of ${url.origin}${url.pathname} cannot be had`, {
        cause: error,
      })
    }
  }
}
