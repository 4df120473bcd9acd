/**
 * The servers that are measured, each with what there is to know about it. What it is asked is the business of the rows.
 */

import type { DIALECTS } from "./load/dialect.js"
import { type Contender, sourceOf } from "./row.js"
import { versionOf } from "./version.js"

/** A server. */
export interface ServerContender extends Contender {
  /** How its clients have to speak to it. @defaultValue "plain" */
  readonly dialect?: keyof typeof DIALECTS
}

const ws: ServerContender = { name: "ws", title: "plain ws", source: sourceOf("servers/ws") }

/** Everybody, by a short name. */
export const SERVERS = {
  ws,
  wsAgain: { ...ws, name: "ws-again", title: "plain ws once more (control)", isControl: true },
  oneFrame: {
    name: "one-frame",
    title: "one frame, a write each",
    source: sourceOf("servers/one-frame"),
  },
  socketIo: {
    name: "socket.io",
    title: "socket.io",
    version: versionOf("socket.io"),
    source: sourceOf("servers/socket-io"),
    dialect: "socket.io",
  },
  crossws: {
    name: "crossws",
    title: "crossws",
    version: versionOf("crossws"),
    source: sourceOf("servers/crossws"),
  },
  bun: {
    name: "bun",
    title: "Bun",
    source: sourceOf("servers/bun"),
    runtime: "Bun",
  },
  holdfast: { name: "holdfast", title: "holdfast", source: sourceOf("servers/holdfast"), isOurs: true },
} satisfies Record<string, ServerContender>
