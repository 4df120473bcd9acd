/**
 * The drop-in socket and the two it stands in for, behind one constructor, with what each of them tells written down.
 * They are driven alike; whatever differs between them shows in the log.
 */

import { ReconnectingWebSocket } from "holdfast/compat"
import PartySocket from "partysocket/ws"
import * as pladaria from "reconnecting-websocket"
import { onTestFinished } from "vitest"
import { WebSocket } from "ws"

/** What all three have, as far as a script uses it. */
interface Subject extends EventTarget {
  readonly readyState: number
  readonly retryCount: number
  readonly url: string
  readonly protocol: string
  readonly extensions: string
  binaryType: string
  send(data: string | ArrayBuffer | ArrayBufferView | Blob): unknown
  close(code?: number, reason?: string): void
  reconnect(code?: number, reason?: string): void
  drainQueuedMessages?(): unknown[]
}

type SubjectConstructor = new (url: unknown, protocols?: unknown, options?: object) => Subject

/** The class, wherever the loader puts the export of a CommonJS module. */
const findClass = (loaded: unknown): unknown =>
  typeof loaded === "function" ? loaded : findClass((loaded as { default: unknown }).default)

/** By name. */
export const SUBJECTS = {
  holdfast: ReconnectingWebSocket as unknown as SubjectConstructor,
  partysocket: PartySocket as unknown as SubjectConstructor,
  "reconnecting-websocket": findClass(pladaria) as SubjectConstructor,
}

/** Which of them. */
export type SubjectName = keyof typeof SUBJECTS

/** One of them under observation. */
export interface Observed {
  readonly socket: Subject
  /** `open`, `message …`, `error`, `close code reason`, each with what the script needs of the moment. */
  readonly log: string[]
  /** What was said in messages, in order. */
  readonly messages: unknown[]
}

/** Starts one of them with 60 ms between tries, and writes down what it tells. */
export function observe(
  name: SubjectName,
  url: unknown,
  protocols?: unknown,
  options: object = {},
): Observed {
  const socket = new SUBJECTS[name](url, protocols, {
    WebSocket,
    minReconnectionDelay: 60,
    maxReconnectionDelay: 60,
    ...options,
  })
  onTestFinished(() => socket.close())
  const log: string[] = []
  const messages: unknown[] = []
  const listen = (type: string, line: (event: never) => string) =>
    socket.addEventListener(type, (event) => void log.push(line(event as never)))
  listen("open", () => `open @${socket.readyState}`)
  listen("message", ({ data }: MessageEvent) => {
    messages.push(data)
    return `message ${typeof data === "string" ? data : data?.constructor.name}`
  })
  listen("error", () => "error")
  listen("close", ({ code, reason, wasClean }: CloseEvent) =>
    `close ${code} ${reason} ${wasClean ? "clean" : "unclean"} retry ${socket.retryCount}`.replace("  ", " "),
  )
  return { socket, log, messages }
}
