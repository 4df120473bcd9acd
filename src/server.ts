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
export type { DrainOptions, DrainReport } from "./server/drain.js"
export {
  type HealthReport,
  type HealthSource,
  healthHandler,
  type NotReady,
  type ReadinessOptions,
  type ReadyReport,
  type RequestHandler,
  readyHandler,
} from "./server/health.js"
export type { LimitOptions, SharedLimiter } from "./server/limit-options.js"
export type { OriginOptions } from "./server/origin.js"
export type { PathParams } from "./server/path-pattern.js"
export {
  type ProbeHandlerOptions,
  type ProbeOptions,
  type ProbePhase,
  type ProbeReport,
  probe,
  probeHandler,
} from "./server/probe.js"
export type { Refusal, RefusalCheck } from "./server/refusal.js"
