/**
 * The types of routing: which message goes with which tag, what handlers are given, and what a router can be mounted on.
 * Nothing here exists at run time.
 */

import type { MaybePromise, Unsubscribe } from "../core/types.js"
import type { RequestId } from "./framing.js"
import type { SchemaIssue } from "./standard-schema.js"

/** The tags of a union of messages; any, where nobody says what the messages are. */
export type TagOf<Message, Key extends string> = unknown extends Message
  ? RequestId
  : Message extends { readonly [K in Key]: infer Tag extends RequestId }
    ? Tag
    : never

/** The messages of a union that may have a tag. */
export type MessageOf<Message, Key extends string, Tag extends RequestId> = unknown extends Message
  ? { readonly [K in Key]: Tag } & Readonly<Record<string, unknown>>
  : Message extends { readonly [K in Key]: infer Tags }
    ? Tag extends Tags
      ? Message
      : never
    : never

/** What a handler is told. */
export interface MessageContext<Message, Peer> {
  /** The message: as it came in, or as its schema made it. */
  readonly message: Message
  /** Where it came from: the connection on a server, the client on a client. */
  readonly peer: Peer
  /** The message's type; `undefined` where it has none. */
  readonly tag: RequestId | undefined
  /** Which request it is; `undefined` for a plain message. */
  readonly id: RequestId | null | undefined
}

/** What the handler of messages that do not fit their schema is told. */
export interface InvalidContext<Message, Peer> extends MessageContext<Message, Peer> {
  /** What is wrong, as the validator has it. Empty when the validator itself failed. */
  readonly issues: readonly SchemaIssue[]
  /** What the validator threw or was rejected with; `undefined` when it did its work. */
  readonly cause: unknown
}

/** Handles one kind of message. */
export type MessageHandler<Message, Peer> = (context: MessageContext<Message, Peer>) => unknown

/** Answers one kind of request: what it returns is the reply. */
export type RequestHandler<Message, Peer, Reply> = (
  context: MessageContext<Message, Peer>,
) => MaybePromise<Reply>

/** Stands around the handling of every message. What comes after `next` runs when the message has been handled. */
export type Middleware<Incoming, Peer> = (
  context: MessageContext<Incoming, Peer>,
  next: () => Promise<void>,
) => unknown

/** The least a router needs of whoever a message came from: a way to answer. */
export interface RouterPeer {
  /** Sends a message. */
  send(message: never): unknown
}

/** A connection or a client. */
export interface MessageSource<Incoming> {
  /** Listens to messages. */
  on(event: "message", listener: (payload: { readonly data: Incoming }) => unknown): Unsubscribe
}

/** A hub: many connections. */
export interface ConnectionSource<Incoming, Peer> {
  /** Listens to messages, with the connection that each came from. */
  on(
    event: "message",
    listener: (payload: { readonly connection: Peer; readonly data: Incoming }) => unknown,
  ): Unsubscribe
}

/** The part of a reconnecting client by which it is told from a connection. */
export interface ReconnectingTarget {
  /** Replaces the connection. */
  reconnect(): void
  /** Listens to the steps from state to state. */
  on(
    event: "state",
    listener: (change: { readonly from: string; readonly to: string }) => unknown,
  ): Unsubscribe
}
