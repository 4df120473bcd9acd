/**
 * Who is in which room, where there are many: each room has ten members, drawn by lot but the same in every run and in
 * every process. It knows no connections.
 */

import { seededRandom } from "../test/support/seeded-random.js"

/** How many rooms there are, and how many members each has. */
export const ROOMS = 1_000
export const MEMBERS = 10

/** The members of each room, of so many clients. */
export function membersOf(clients: number): readonly ReadonlySet<number>[] {
  const random = seededRandom(clients)
  const count = Math.min(MEMBERS, clients)
  return Array.from({ length: ROOMS }, () => {
    const members = new Set<number>()
    while (members.size < count) members.add(Math.floor(random() * clients))
    return members
  })
}

/** The rooms of each of so many clients. */
export function roomsOf(clients: number): readonly (readonly number[])[] {
  const rooms: number[][] = Array.from({ length: clients }, () => [])
  membersOf(clients).forEach((members, room) => {
    for (const member of members) rooms[member]?.push(room)
  })
  return rooms
}
