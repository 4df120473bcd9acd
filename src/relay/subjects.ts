/**
 * Subjects: the names a relay uses at a broker. A letter keeps channels, nodes and the word to all of them apart.
 */

/** What every node hears. */
export const ALL_NODES = "a"

const CHANNEL = "c:"
const NODE = "n:"

/** The subject of a channel. */
export function channelSubject(channel: string): string {
  return CHANNEL + channel
}

/** The subject that one node hears. */
export function nodeSubject(nodeId: string): string {
  return NODE + nodeId
}

/** The channel of a subject; `undefined` for subjects of nodes. */
export function channelOf(subject: string): string | undefined {
  return subject.startsWith(CHANNEL) ? subject.slice(CHANNEL.length) : undefined
}
