/**
 * Joins a hub to an HTTP or HTTPS server. For Node, and for the Node layers of Bun and Deno.
 *
 * @module holdfast/server
 */

export {
  type Acceptance,
  type Admission,
  type AdmissionContext,
  type Authenticate,
  AuthenticateTimeoutError,
} from "./server/admission.js"
export { attach } from "./server/attach.js"
export type { AttachOptions } from "./server/attach-options.js"
export { Attachment, type AttachmentEvents } from "./server/attachment.js"
export type { ProxyOptions } from "./server/client-address.js"
export type { LimitOptions, SharedLimiter } from "./server/limit-options.js"
export type { OriginOptions } from "./server/origin.js"
export type { PathParams } from "./server/path-pattern.js"
export type { Refusal, RefusalCheck } from "./server/refusal.js"
