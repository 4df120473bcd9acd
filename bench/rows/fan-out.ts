/**
 * One message to everybody: 64 bytes of text from the server to each of its connections.
 */

import { type Cell, type Row, serverSource } from "../row.js"

/**
 * After a pause of a fifth of a second Linux acknowledges the next sixteen segments of a connection at once, at the
 * sender's expense: a third more for each write. Whoever writes less would be in that state for longer.
 */
const RUN_IN_MESSAGES = 20

/** Fan-out, in the four ways that messages come: alone, in bursts of two sizes, from several publishers at once. */
export const fanOut: Row = {
  name: "fan-out",
  title: "Fan-out of 64 bytes of text",
  contenders: [
    { name: "ws", title: "ws, a loop of send", source: serverSource("ws-loop") },
    { name: "ws-again", title: "ws once more (control)", source: serverSource("ws-loop"), isControl: true },
    { name: "holdfast", title: "holdfast", source: serverSource("holdfast") },
  ],
  cells: [
    { name: "paced", title: "1 message, then wait", rounds: 12, run: burst(1) },
    { name: "burst-10", title: "10 in one burst", rounds: 8, run: burst(10) },
    { name: "burst-100", title: "100 in one burst", rounds: 3, run: burst(100) },
    { name: "publishers-10", title: "10 publishers at once", rounds: 4, run: publishers(10, 5) },
  ],
  async runIn(stage) {
    for (let i = 0; i < RUN_IN_MESSAGES; i += 1) await burst(1)(stage)
  },
}

/** The server sends so many messages in one go. */
function burst(count: number): Cell["run"] {
  return async ({ server, crowd }) => {
    const received = crowd.receive(count)
    server.publish(count)
    await received
    return count * crowd.size
  }
}

/** So many of the connections send messages that the server passes on to everybody, one after the other each. */
function publishers(count: number, each: number): Cell["run"] {
  return async ({ crowd }) => {
    const received = crowd.receive(count * each)
    crowd.publish(count, each)
    await received
    return count * each * crowd.size
  }
}
