/**
 * What the server of a trial can be told.
 */

/** Whatever is left out is as a hub has it by default. */
export interface ServerSettings {
  /** Where to listen on the loopback interface. @defaultValue a free port */
  readonly port?: number
  /** Over how long a drain spreads the closes, in milliseconds. @defaultValue 10_000 */
  readonly windowMs?: number
  /** How many messages each connection is sent right before a drain. @defaultValue 0 */
  readonly lastWords?: number
  /** How the hub finds dead connections. */
  readonly heartbeat?: { readonly intervalMs: number; readonly timeoutMs: number } | false
}
