/**
 * Logins by JSON Web Token (RFC 7519), as a function for `attach`. Needs the package `jose`.
 *
 * @module holdfast/auth/jwt
 */

import type { IncomingMessage } from "node:http"
import { isLevelOn } from "../core/logger.js"
import { type Given, resolveOptions } from "../core/options.js"
import type { Acceptance, Admission, AdmissionContext } from "../server/admission.js"
import type { Refusal } from "../server/refusal.js"
import { type JwtClaims, type JwtOptions, type JwtSettings, resolveJwt } from "./jwt-options.js"
import { TokenError } from "./token-error.js"
import { TokenVerifier } from "./token-verifier.js"

export type { JwtAlgorithm, JwtKey } from "./jwt-key.js"
export type { JwtClaims, JwtKeySet, JwtOptions } from "./jwt-options.js"
export { type TokenCheck, TokenError } from "./token-error.js"
export type { TokenSource } from "./token-source.js"

/** What a token that was taken says about a login. */
export interface JwtLogin<Data = JwtClaims> extends Acceptance<Data> {
  /** Everything the token says. */
  readonly claims: JwtClaims
  /** What the `data` option made of it, or the claims. */
  readonly data: Data
  /** When the login ends, in milliseconds since 1970: the token's `exp` and the tolerance. `undefined` without one. */
  readonly expiresAt?: number
}

/** What {@link JwtAuthenticate.verify} takes besides the token. */
export interface JwtVerifyOptions {
  /** Whose token it must be. Give it the connection's, so that nobody goes on as somebody else. @defaultValue anybody's */
  readonly userId?: string | undefined
}

const VERIFY_DEFAULTS: JwtVerifyOptions = Object.freeze({ userId: undefined })

/** Decides about upgrades by their tokens. It is the `authenticate` of `attach`; made by {@link jwt}. */
export interface JwtAuthenticate<Data = JwtClaims> {
  /** Lets in who has a good token, until it expires. */
  (request: IncomingMessage, context: AdmissionContext): Promise<Admission<Data>>
  /**
   * Checks a token that came another way, such as a message that renews a login.
   *
   * @throws TokenError when it does not pass a check; AuthUnavailableError when the keys cannot be had; what the `data` and
   * `userId` options throw; and InvalidOptionError for a name that is no option's.
   */
  verify(token: string, options?: JwtVerifyOptions): Promise<JwtLogin<Data>>
}

/**
 * Makes an `authenticate` that lets in who has a good token. Everybody else is refused with 401 and one and the same
 * answer; which check it was is in the `refused` event of the attachment and in the log. Where keys cannot be fetched it is
 * a 503 and an `error` event.
 *
 * @throws InvalidOptionError for options that cannot be, before any token comes.
 *
 * @example
 * const login = jwt({
 *   jwks: "https://id.example/.well-known/jwks.json",
 *   algorithms: ["RS256"],
 *   issuer: "https://id.example/",
 *   audience: "chat",
 *   from: ["header", "subprotocol"],
 *   data: ({ sub, name }) => ({ user: sub, name }),
 * })
 * attach(http, hub, { authenticate: login })
 */
export function jwt<Data = JwtClaims>(
  options: Given<JwtOptions<Data>> & Pick<JwtOptions<Data>, "algorithms">,
): JwtAuthenticate<Data> {
  const settings = resolveJwt(options)
  const verifier = new TokenVerifier(settings)

  async function verify(token: string, options?: Given<JwtVerifyOptions>): Promise<JwtLogin<Data>> {
    // a name that is misspelled would let anybody go on as anybody
    const { userId } = resolveOptions<JwtVerifyOptions>("verify", VERIFY_DEFAULTS, options)
    if (typeof token !== "string") throw new TokenError("malformed")
    const login = await loginOf(await verifier.verify(token), settings)
    if (userId !== undefined && login.userId !== userId) throw new TokenError("user")
    return login
  }

  async function authenticate(
    request: IncomingMessage,
    { remoteAddress, correlationId }: AdmissionContext,
  ): Promise<Admission<Data>> {
    try {
      const { claims: _claims, ...acceptance } = await verify(settings.sources.take(request))
      return acceptance
    } catch (error) {
      if (!(error instanceof TokenError)) throw error
      const { logger, closeCode } = settings
      if (isLevelOn(logger, "info")) {
        const fields = { event: "token.rejected", correlationId, remoteAddress, check: error.check }
        logger.info(fields, error.message)
      }
      return refusal(error, closeCode)
    }
  }

  return Object.assign(authenticate, { verify })
}

/** The latest moment of a `Date`, in milliseconds since 1970. A token may claim to outlive it. */
const LAST_MS = 8.64e15

async function loginOf<Data>(claims: JwtClaims, settings: JwtSettings<Data>): Promise<JwtLogin<Data>> {
  const { clockToleranceS, data } = settings
  const userId = userOf(claims, settings)
  // without the tolerance a token that is within it would open a connection that has ended
  const expiresAt = claims.exp && Math.min((claims.exp + clockToleranceS) * 1_000, LAST_MS)
  return {
    claims,
    data: data ? await data(claims) : (claims as Data),
    ...(userId !== undefined && { userId }),
    ...(expiresAt !== undefined && { expiresAt }),
  }
}

function userOf(claims: JwtClaims, { userId }: JwtSettings<unknown>): string | undefined {
  if (userId === false) return undefined
  if (typeof userId === "function") return userId(claims)
  const claim = claims[userId]
  if (typeof claim !== "string" || claim === "") throw new TokenError("claims")
  return claim
}

/** The same for every check (RFC 6750, section 3). */
function refusal({ check }: TokenError, closeCode: number | undefined): Refusal {
  return {
    status: 401,
    headers: { "WWW-Authenticate": "Bearer" },
    reason: `token: ${check}`,
    ...(closeCode !== undefined && { closeCode, closeReason: "Unauthorized" }),
  }
}
