/**
 * Why a token was not taken. It knows the check, and neither the token nor what it says: both would end up in a log.
 */

import { HoldfastError } from "../core/errors.js"

/**
 * Which check a token did not pass.
 *
 * - `missing`: the request has none, in none of the places where it is looked for.
 * - `several`: one place has more than one.
 * - `malformed`: it is no signed JWT in the compact form.
 * - `algorithm`: its `alg` is not allowed, or it asks for an extension that is not understood.
 * - `key`: no key fits, or more than one.
 * - `signature`: it was not signed with the key, or was changed since.
 * - `expired`, `early`: its `exp` has passed; its `nbf` has not come.
 * - `issuer`, `audience`: it is somebody else's, or for somebody else.
 * - `claims`: a claim that is needed is missing, or is not of its type.
 * - `user`: it is not of the user it is to renew the login of.
 */
export type TokenCheck =
  | "missing"
  | "several"
  | "malformed"
  | "algorithm"
  | "key"
  | "signature"
  | "expired"
  | "early"
  | "issuer"
  | "audience"
  | "claims"
  | "user"

/** A token did not pass a check. For the log: whoever sent it is not to learn more than that it was not taken. */
export class TokenError extends HoldfastError {
  declare readonly code: "TOKEN_REJECTED"
  /** The check. */
  readonly check: TokenCheck

  constructor(check: TokenCheck) {
    super("TOKEN_REJECTED", `the token did not pass the check: ${check}`)
    this.check = check
  }
}
