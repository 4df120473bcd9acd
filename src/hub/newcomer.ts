/**
 * What is known of a connection that comes to a hub: what the application says, and what the upgrade request says where it
 * has not. Nothing of the request is kept.
 */

import { correlationOf } from "../core/correlation.js"
import { checkMoment, reject } from "../core/options.js"
import type { CompressionSettings } from "../wire/compression.js"
import { checkName } from "../wire/name.js"
import { OPEN, type SocketLike } from "../wire/socket.js"
import type { HubConnectionIdentity } from "./hub-connection.js"
import { canInflate, rawStream, type UpgradeRequest } from "./raw-stream.js"

/** What is particular to a connection that is added to a hub. */
export interface AddOptions<Data = unknown> extends HubConnectionIdentity<Data> {
  /** The HTTP upgrade request. Its address and its stream are taken; it is not kept. */
  readonly request?: UpgradeRequest | undefined
}

/**
 * Checks what is added, before anything is done: a connection that was refused must not stay behind half added.
 * @throws InvalidOptionError with the value received.
 */
export function checkAddition(
  socket: SocketLike,
  { id, userId, expiresAt }: HubConnectionIdentity,
  taken: ReadonlyMap<string, unknown>,
): void {
  if (socket?.readyState !== OPEN) reject("hub.add socket.readyState", "1 (open)", socket?.readyState)
  if (userId !== undefined) checkName("hub.add userId", userId)
  if (expiresAt !== undefined) checkMoment("hub.add expiresAt", expiresAt)
  if (id !== undefined && taken.has(checkName("hub.add id", id))) {
    reject("hub.add id", "the id of no other connection", id)
  }
}

/** What a connection is made with. */
export function identify<Data>(
  socket: SocketLike,
  given: AddOptions<Data>,
  compression: CompressionSettings | false,
): HubConnectionIdentity<Data> {
  const { request } = given
  return {
    id: given.id,
    data: given.data,
    params: given.params,
    userId: given.userId,
    expiresAt: given.expiresAt,
    inboundLimits: given.inboundLimits,
    correlationId: given.correlationId ?? correlationOf(request?.headers),
    remoteAddress: given.remoteAddress ?? request?.socket?.remoteAddress,
    stream: given.stream ?? rawStream(socket, request),
    canInflate: given.canInflate ?? doesInflate(socket, request, compression),
  }
}

function doesInflate(
  socket: SocketLike,
  request: UpgradeRequest | undefined,
  compression: CompressionSettings | false,
): boolean {
  return compression !== false && canInflate(socket, request, compression.maxWindowBits)
}
