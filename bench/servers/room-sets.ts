/**
 * Rooms as sets, for the servers of the bench that have none themselves. It knows nothing of what a server calls a
 * connection.
 */

/** Who is in which room. */
export class RoomSets<Connection> {
  readonly #rooms = new Map<string, Set<Connection>>()

  /** Whoever is in a room. */
  of(room: string): Iterable<Connection> {
    return this.#rooms.get(room) ?? []
  }

  /** Adds one to rooms. */
  join(connection: Connection, rooms: readonly string[]): void {
    for (const room of rooms) {
      const members = this.#rooms.get(room)
      if (members) members.add(connection)
      else this.#rooms.set(room, new Set([connection]))
    }
  }

  /** Takes one out of rooms. */
  leave(connection: Connection, rooms: readonly string[]): void {
    for (const room of rooms) this.#rooms.get(room)?.delete(connection)
  }
}
