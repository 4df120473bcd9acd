/**
 * A random life of a client that sends numbers, and where each number went. The same seed is the same life.
 */

import { fakeClient } from "./client-fake.js"
import type { DialledSocket } from "./client-network.js"
import { seededRandom } from "./seeded-random.js"

/** Where the numbers went that were sent: 0, 1, 2, … */
export interface ScheduleResult {
  readonly sent: readonly number[]
  /** What the far ends got, in order. */
  readonly received: readonly number[]
  /** What the sockets took, in order. */
  readonly handed: readonly number[]
  /** What a `dropped` event told of. */
  readonly dropped: readonly number[]
  /** What still waited at the end, oldest first. */
  readonly queued: readonly number[]
  /** What a socket had taken that was closed before it arrived. */
  readonly lost: readonly number[]
  readonly mostLive: number
}

/** Plays one life: sends, cuts, refusals, stalls, throws, pauses, and time between them. */
export async function playSchedule(seed: number, steps = 24): Promise<ScheduleResult> {
  const random = seededRandom(seed)
  const below = (n: number) => Math.floor(random() * n)
  const overflow = (["reject", "drop-oldest"] as const)[below(2)] as "reject"
  const { client, clock, network, log } = fakeClient({
    backoff: { random, initialMs: 100, maxMs: 1_000 },
    queue: { maxMessages: 4 + below(30), overflow },
    highWaterMarkBytes: 4,
    ...(below(3) === 0 && {
      onOpen: () => new Promise<void>((resolve) => clock.setTimer(resolve, below(60))),
    }),
  })
  network.latencyMs = below(2) * below(40)
  const sent: number[] = []
  const taken = new Map<DialledSocket, number[]>()
  network.onDial = (socket) => {
    const send = socket.send.bind(socket)
    const numbers: number[] = []
    taken.set(socket, numbers)
    socket.send = (data) => {
      send(data)
      numbers.push(Number(data))
    }
    const fate = below(10)
    if (fate < 7) socket.accept()
    else if (fate < 9) socket.refuse()
  }
  const send = (count: number) => {
    for (let i = 0; i < count; i += 1) {
      client.send(`${sent.length}`, {
        volatile: below(12) === 0,
        ...(below(8) === 0 && { ttlMs: below(200) }),
      })
      sent.push(sent.length)
    }
  }
  const acts: ((socket: DialledSocket) => void)[] = [
    (socket) => socket.cut(),
    (socket) => socket.end(1012),
    (socket) => {
      socket.failingSends = 1
    },
    (socket) => {
      socket.isStalled = !socket.isStalled
    },
    (socket) => socket.drain(6),
    () => client.reconnect(),
    () => client.pause(),
    () => client.connect(),
    () => client.connect(),
  ]
  for (let i = 0; i < steps; i += 1) {
    const chance = below(10)
    if (chance < 4) send(1 + below(6))
    else if (chance < 7) await clock.advance(below(3) === 0 ? below(2_000) : below(60))
    else if (network.sockets.length > 0) acts[below(acts.length)]?.(network.last)
  }
  for (const socket of network.live) socket.isStalled = false
  await clock.advance(100)
  const queued = client.drainQueue().map(Number)
  void client.close()
  await clock.advance(1_100)
  const handed = [...taken.values()].flat()
  const arrived = (socket: DialledSocket) => new Set(socket.received.map(Number))
  return {
    sent,
    received: network.received.map(Number),
    handed,
    dropped: log.dropped.map(({ message }) => Number(message)),
    queued,
    lost: [...taken].flatMap(([socket, numbers]) => numbers.filter((it) => !arrived(socket).has(it))),
    mostLive: network.mostLive,
  }
}
