/**
 * The certificate of the examples, and its key: signed by itself, for `localhost` and 127.0.0.1.
 */

import { selfSigned } from "../../examples/beside/self-signed.js"

/** The private key and the certificate, in PEM; clients pass the certificate as `ca`. */
export const { key, cert } = selfSigned
