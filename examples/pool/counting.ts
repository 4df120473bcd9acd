/**
 * Counts words through a pool. What a connection of the pool is asked, and what is done when it is lost, stands here;
 * which connection that is, and whether there is one yet, is the pool's business.
 */

import { type Connection, ConnectionPool, hasErrorCode } from "holdfast"
import type { Answer, Question } from "./protocol.js"

/** What stays with each connection: the desk at which the server has placed it. */
export interface Desk {
  readonly desk: number
}

/** Words, and who has counted them. */
export interface Count extends Desk {
  readonly words: number
}

/** A pool of three connections, each of which knows its desk before anybody leases it. */
export function countingPool(url: string): ConnectionPool<Answer, Question, Desk> {
  return new ConnectionPool<Answer, Question, Desk>(url, {
    max: 3,
    backoff: { initialMs: 100 },
    onOpen: async (connection) => {
      const welcome = await nextOf(connection, "welcome")
      connection.data = { desk: welcome.desk }
    },
  })
}

/** Counts the words of one text. A question that was lost with its connection is asked again, on another one. */
export async function countWords(
  pool: ConnectionPool<Answer, Question, Desk>,
  text: string,
  tries = 5,
): Promise<Count> {
  try {
    return await pool.use(async (lease) => {
      lease.send({ type: "count", text })
      const { words } = await nextOf(lease, "counted")
      return { words, desk: lease.data.desk }
    })
  } catch (error) {
    const isLost = error instanceof LostError || hasErrorCode(error, "CONNECT_FAILED")
    if (!isLost || tries === 1) throw error
    return countWords(pool, text, tries - 1)
  }
}

/** The connection ended before the answer came. */
class LostError extends Error {}

/** The next message, which has to be of that kind. */
async function nextOf<Type extends Answer["type"]>(
  connection: Connection<Answer, Question, Desk>,
  type: Type,
): Promise<Extract<Answer, { type: Type }>> {
  for await (const answer of connection) {
    if (answer.type === type) return answer as Extract<Answer, { type: Type }>
    throw new Error(`expected ${type}, got ${answer.type}`)
  }
  throw new LostError(`no ${type} came`)
}
