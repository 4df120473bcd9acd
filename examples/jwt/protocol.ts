/**
 * What clients and server say to each other about a login. JSON in text frames.
 */

/** From a client. */
export type FromClient = { readonly type: "renew"; readonly token: string }

/** From the server. */
export type FromServer =
  | { readonly type: "welcome"; readonly user: string }
  | { readonly type: "expiring"; readonly expiresAt: number }
  | { readonly type: "renewed"; readonly expiresAt: number }
  | { readonly type: "refused"; readonly why: string }
