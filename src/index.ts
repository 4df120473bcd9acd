/**
 * WebSocket primitives that hold: a hub for servers, a reconnecting client for browsers and Node, and what both are
 * made of. Importing it does nothing.
 *
 * @module holdfast
 */

export type { ClientEnd, ClientEvents, StateChange } from "./client/client-events.js"
export type { OpenContext, ReconnectingClientOptions } from "./client/client-options.js"
export type { ClientState } from "./client/client-state.js"
export type { AttemptContext, LinkEnd, PerAttempt } from "./client/link.js"
export type { ClientHeartbeatOptions } from "./client/liveness.js"
export type { ClientIterateOptions } from "./client/reader-set.js"
export type { EndCause, ReconnectDecision } from "./client/reconnect-policy.js"
export { type ClientProbeOptions, ReconnectingClient } from "./client/reconnecting-client.js"
export type { ClientSendAsyncOptions, ClientSendOptions, ClientSendResult } from "./client/sender.js"
export {
  BACKOFF_DEFAULTS,
  type BackoffOptions,
  type BackoffSettings,
  backoffDelay,
  type Jitter,
  resolveBackoff,
} from "./core/backoff.js"
export {
  CloseCode,
  isSendableCloseCode,
  type RetryAdvice,
  retryAdvice,
  truncateReason,
} from "./core/close-codes.js"
export { Emitter, type ErrorEvent, type Listener } from "./core/emitter.js"
export {
  AdapterError,
  AuthUnavailableError,
  CodecError,
  type CodecErrorCode,
  ConnectError,
  type ConnectErrorOptions,
  ConnectionLostError,
  type ErrorCode,
  HoldfastError,
  hasErrorCode,
  InvalidOptionError,
  QueueFullError,
  SendTimeoutError,
  StopReconnecting,
  UnconfirmedError,
} from "./core/errors.js"
export { consoleLogger, defaultLogger, type Logger, type LogMethod, silentLogger } from "./core/logger.js"
export type { Given } from "./core/options.js"
export { type Clock, systemClock, type TimerHandle } from "./core/timer.js"
export type { MaybePromise, Payload, Unsubscribe } from "./core/types.js"
export type {
  Adapter,
  AdapterCapabilities,
  AdapterContext,
  AdapterCounters,
  AdapterGap,
  AdapterHealth,
  AdapterMessage,
  AdapterState,
  PublishMeta,
} from "./hub/adapter.js"
export type { HistogramStats } from "./hub/histogram.js"
export { createHub, Hub } from "./hub/hub.js"
export { type ConnectionHost, HubConnection, type HubConnectionIdentity } from "./hub/hub-connection.js"
export type { LossReason } from "./hub/hub-counters.js"
export type { HubErrorEvent, HubEvents } from "./hub/hub-events.js"
export type { HubOptions } from "./hub/hub-options.js"
export type { HubStats } from "./hub/hub-stats.js"
export { memoryAdapter } from "./hub/memory-adapter.js"
export type { AddOptions } from "./hub/newcomer.js"
export {
  createPublisher,
  Publisher,
  type PublisherOptions,
  PublisherSelection,
} from "./hub/publisher.js"
export type { UpgradeRequest } from "./hub/raw-stream.js"
export {
  type ClusterResult,
  type HubSendResult,
  type MemberInfo,
  type NodeResult,
  Selection,
  type SelectionNames,
  type SelectionOwner,
  type SendReport,
  type Target,
} from "./hub/selection.js"
export { type BatchCodec, batch } from "./messages/batch.js"
export { type BatchOptions, MessageBatch } from "./messages/batch-format.js"
export { BatchSender, type BatchTarget } from "./messages/batch-sender.js"
export {
  type CallEnvelope,
  type Envelope,
  type Failure,
  type Framing,
  type MalformedEnvelope,
  type RefusalEnvelope,
  type ReplyEnvelope,
  type RequestId,
  type TaggedOptions,
  tagged,
} from "./messages/framing.js"
export {
  type JsonRpcError,
  type JsonRpcFailure,
  type JsonRpcOptions,
  jsonRpc,
  jsonRpcParseError,
} from "./messages/json-rpc.js"
export { lengthPrefixed, type PacketCodec } from "./messages/length-prefixed.js"
export type { OutgoingPacket, Packet, PacketCompression, PacketOptions } from "./messages/packet-format.js"
export {
  createPresence,
  Presence,
  type PresenceEvents,
  type PresenceHub,
  type PresenceOptions,
  type PresentConnection,
} from "./messages/presence.js"
export type { PresenceChange, PresenceMember, PresenceSnapshot } from "./messages/presence-book.js"
export { RequestError, type RequestErrorOptions, RequestTimeoutError } from "./messages/request-error.js"
export type {
  Gathered,
  MissingReply,
  NamedReply,
  Recipient,
  RequestOptions,
  RequestPeer,
  RequestSelection,
  RequestsEvents,
  RequestsOptions,
  SentTo,
} from "./messages/request-types.js"
export { createRequests, Requests } from "./messages/requests.js"
export { createRouter, Router, type RouterOptions } from "./messages/router.js"
export type {
  ConnectionSource,
  InvalidContext,
  MessageContext,
  MessageHandler,
  MessageOf,
  MessageSource,
  Middleware,
  RequestHandler,
  RouterPeer,
  TagOf,
} from "./messages/router-types.js"
export type {
  SchemaIssue,
  SchemaOutput,
  SchemaResult,
  StandardSchema,
} from "./messages/standard-schema.js"
export { type AcquireOptions, ConnectionPool, type PoolCloseOptions } from "./pool/connection-pool.js"
export { Lease } from "./pool/lease.js"
export type { PoolClose, PoolEvents } from "./pool/pool-events.js"
export type { PoolOptions } from "./pool/pool-options.js"
export type { IdleMessages } from "./pool/pooled-socket.js"
export type { Lag, OverflowPolicy } from "./wire/backlog.js"
export {
  binary,
  type Codec,
  type FrameReader,
  type JsonOptions,
  json,
  type LiteralPing,
  text,
} from "./wire/codec.js"
export type { CompressionOptions } from "./wire/compression.js"
export { Connection } from "./wire/connection.js"
export type {
  CloseCause,
  CloseInfo,
  ConnectionEvents,
  ConnectionState,
  IterateOptions,
  SendAsyncOptions,
} from "./wire/connection-events.js"
export type { ConnectionIdentity, ConnectionOptions } from "./wire/connection-options.js"
export { type DialOptions, dial } from "./wire/dial.js"
export type { DialContext, PerDial } from "./wire/dial-request.js"
export type { FlushMode } from "./wire/flusher.js"
export { Heartbeat, type HeartbeatPeer } from "./wire/heartbeat.js"
export type { NodeOptions, TlsMaterial } from "./wire/node-options.js"
export type { OutboxOptions, SendResult } from "./wire/outbox-options.js"
export { type HeartbeatOptions, type HeartbeatSettings, Pulse, type Verdict } from "./wire/pulse.js"
export type { DropReason, QueueOverflow, SendQueueOptions } from "./wire/send-queue.js"
export type { FrameStream } from "./wire/sink.js"
export type { SocketLike, WebSocketConstructor } from "./wire/socket.js"
export type { InboundLimits } from "./wire/throttle.js"
export type { Rate } from "./wire/token-bucket.js"
