/**
 * A hub of strings attached to a server of its own, with everything that either of them tells kept for the test.
 */

import {
  createHub,
  type ErrorEvent,
  type Given,
  type Hub,
  type HubConnection,
  type HubOptions,
  text,
} from "holdfast"
import { type Attachment, type AttachmentEvents, type AttachOptions, attach } from "holdfast/server"
import { until } from "./deadline.js"
import { Mailbox } from "./mailbox.js"
import { type HttpTarget, startHttp } from "./server-http.js"

/** A running server with a hub. */
export interface Attached<Data = unknown> extends HttpTarget {
  readonly hub: Hub<string, string, Data>
  readonly attachment: Attachment
  /** Connections that were added. */
  readonly added: Mailbox<HubConnection<string, string, Data>>
  /** Upgrades that were refused. */
  readonly refused: Mailbox<AttachmentEvents["refused"]>
  /** Errors of the attachment. */
  readonly errors: Mailbox<ErrorEvent>
  /** Resolves when no socket is open and the hub is empty. Rejects after a deadline. */
  idle(ms?: number): Promise<void>
}

/** What {@link startAttached} takes besides the options of `attach`. */
export interface AttachedOptions {
  /** The server. @defaultValue a new one over HTTP */
  readonly target?: HttpTarget
  /** Options of the hub. */
  readonly hub?: Given<HubOptions<string, string>>
}

/** Attaches a new hub. It listens to every event, so that nothing reaches the console. */
export async function startAttached<Data = unknown>(
  options: Given<AttachOptions<Data>> = {},
  { target, hub: hubOptions }: AttachedOptions = {},
): Promise<Attached<Data>> {
  const http = target ?? (await startHttp())
  const hub = createHub<string, string, Data>({
    codec: text(),
    heartbeat: false,
    logger: false,
    ...hubOptions,
  })
  const attachment = attach(http.server, hub, options)
  const added = new Mailbox<HubConnection<string, string, Data>>("connection of the hub")
  const refused = new Mailbox<AttachmentEvents["refused"]>("refusal")
  const errors = new Mailbox<ErrorEvent>("error of the attachment")
  hub.on("connection", ({ connection }) => added.put(connection))
  attachment.on("refused", (refusal) => refused.put(refusal))
  attachment.on("error", (error) => errors.put(error))
  return {
    ...http,
    hub,
    attachment,
    added,
    refused,
    errors,
    async idle(ms) {
      await http.idle(ms)
      // a socket is not counted any more shortly before its end is told
      await until(() => hub.size === 0, "the hub to be empty", ms)
    },
  }
}
