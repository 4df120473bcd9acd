/**
 * Names of channels: what a hub sends along, on this node and between nodes. Prefixes keep rooms, users and
 * "everybody" apart, so a room may have any name.
 */

import { checkName } from "../wire/name.js"

const ROOM = "room:"
const USER = "user:"

/** The channel that every connection of every node hears. */
export const EVERYBODY = "everybody"

/**
 * The channel of a room.
 * @throws InvalidOptionError when the name is no string of 1 to 512 bytes.
 */
export function roomChannel(room: string): string {
  return ROOM + checkName("room", room)
}

/**
 * The channels of one room or of several.
 * @throws InvalidOptionError when any name is no string of 1 to 512 bytes.
 */
export function roomChannels(rooms: string | Iterable<string>): string[] {
  // a string is iterable too, and is one room
  const isSeveral = typeof rooms === "object" && rooms !== null && Symbol.iterator in rooms
  return isSeveral ? Array.from(rooms, roomChannel) : [roomChannel(rooms as string)]
}

/**
 * The channel of a user: of all connections that were added with this user's id.
 * @throws InvalidOptionError when the id is no string of 1 to 512 bytes.
 */
export function userChannel(userId: string): string {
  return USER + checkName("userId", userId)
}

/** The room a channel belongs to; `undefined` for other channels. */
export function roomOf(channel: string): string | undefined {
  return channel.startsWith(ROOM) ? channel.slice(ROOM.length) : undefined
}
