/**
 * What is tried of a server in every runtime, as docs/runtimes.md says it.
 */

/** The rows of the table of servers. */
export const SERVER_ROWS = {
  echo: "a message to its sender, a message to all",
  rooms: "a message to the others in a room",
  close: "closes with code and reason, both ways",
  refusals: "refuses a login, an origin, a path, one too many",
  heartbeat: "pings, and ends whoever does not answer",
  sizes: "ends whoever sends too much, or in too many pieces",
  slow: "closes a reader that does not read",
  drain: "drains",
} as const
