/**
 * The states of a reconnecting client, and which may follow which.
 *
 * ```text
 *            ┌────────────────────────────────────────────────┐
 *            │                  ┌──────────┐                  │
 * idle ─► connecting ─► open ─► waiting ─► connecting …       │
 *            │           │        │  ▲                        │
 *            └─► paused ◄┴────────┘  └── connecting failed    │
 *                  └──────────────────────────────────────────┘
 * open ─► closing ─► closed        any state ─► closed
 * ```
 */

/**
 * Where a client stands.
 *
 * - `idle`: it has not started.
 * - `connecting`: it asks for the address, or dials.
 * - `open`: messages flow.
 * - `waiting`: it dials again when the backoff is over.
 * - `paused`: it dials when it is resumed.
 * - `closing`: it was closed, and the closing handshake runs.
 * - `closed`: the end. Nothing follows.
 */
export type ClientState = "idle" | "connecting" | "open" | "waiting" | "paused" | "closing" | "closed"

/** Every step a client can take. */
export const TRANSITIONS: Readonly<Record<ClientState, readonly ClientState[]>> = Object.freeze({
  idle: ["connecting", "paused", "closed"],
  connecting: ["open", "waiting", "paused", "closed"],
  open: ["connecting", "waiting", "paused", "closing", "closed"],
  waiting: ["connecting", "paused", "closed"],
  paused: ["connecting", "closed"],
  closing: ["closed"],
  closed: [],
})
