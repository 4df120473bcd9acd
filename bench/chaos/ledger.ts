/**
 * What one listener heard, by room and publisher: whether it came in order and once, how many messages are missing in
 * between, and how many it was told are missing. It knows no sockets and no hubs.
 */

/** One message: which room, who published it, and its number there, from 1. */
export interface Entry {
  readonly room: string
  readonly publisher: string
  readonly serial: number
}

/** What was heard of one publisher in one room. */
export interface Heard {
  readonly room: string
  readonly publisher: string
  readonly first: number
  readonly last: number
  readonly received: number
}

/** An entry as a message. */
export function encodeEntry({ room, publisher, serial }: Entry): string {
  return `entry ${room} ${publisher} ${serial}`
}

/** A loss as a message. */
export function encodeLoss(room: string, count: number): string {
  return `loss ${room} ${count}`
}

/** One listener's record. */
export class Ledger {
  readonly #heard = new Map<string, { -readonly [K in keyof Heard]: Heard[K] }>()
  readonly #told = new Map<string, number>()
  /** Messages that came after a later one of the same room and publisher. */
  misordered = 0
  /** Messages that came twice in a row. */
  doubled = 0
  received = 0

  /** Takes a message of either kind. Others are ignored. */
  take(message: string): void {
    const [kind, room = "", publisher = "", serial = ""] = message.split(" ")
    if (kind === "entry") this.hear({ room, publisher, serial: Number(serial) })
    else if (kind === "loss") this.tell(room, Number(publisher))
  }

  /** A message came. */
  hear({ room, publisher, serial }: Entry): void {
    this.received += 1
    const key = `${room} ${publisher}`
    const heard = this.#heard.get(key)
    if (!heard) this.#heard.set(key, { room, publisher, first: serial, last: serial, received: 1 })
    else if (serial > heard.last) {
      heard.last = serial
      heard.received += 1
    } else if (serial === heard.last) this.doubled += 1
    else this.misordered += 1
  }

  /** So many messages of a room are said to be missing. */
  tell(room: string, count: number): void {
    this.#told.set(room, this.told(room) + count)
  }

  /** How many messages of a room were said to be missing. */
  told(room: string): number {
    return this.#told.get(room) ?? 0
  }

  /** How many were said to be missing in all rooms. */
  get toldInAll(): number {
    return [...this.#told.values()].reduce((sum, it) => sum + it, 0)
  }

  /** What was heard. */
  get heard(): readonly Heard[] {
    return [...this.#heard.values()]
  }

  /** How many messages are missing between others, and nobody said so. */
  get untold(): number {
    const holes = new Map<string, number>()
    for (const it of this.#heard.values()) holes.set(it.room, (holes.get(it.room) ?? 0) + holesIn(it))
    return [...holes].reduce((sum, [room, count]) => sum + Math.max(0, count - this.told(room)), 0)
  }
}

/** How many messages are missing between the first and the last one heard. */
export function holesIn({ first, last, received }: Heard): number {
  return last - first + 1 - received
}

/** A listener needs so long, in milliseconds, before the beginning of a stream counts as missed. */
const MARGIN_MS = 1_500

/** When a process was started, and when it was ready. */
export interface Began {
  readonly startedAt: number
  readonly readyAt: number
}

/** What a publisher is known to have published by room. */
export interface Published extends Began {
  readonly isAlive: boolean
  readonly rooms: Readonly<Record<string, number>>
}

/** How many messages a listener must have been told are missing in each room: at least, and at most. */
export function lossesOf(
  heard: readonly Heard[],
  publishers: ReadonlyMap<string, Published>,
  listener: Began,
): ReadonlyMap<string, { readonly least: number; readonly most: number }> {
  const losses = new Map<string, { least: number; most: number }>()
  const lose = (name: string, least: number, most: number) => {
    const room = losses.get(name) ?? { least: 0, most: 0 }
    losses.set(name, { least: room.least + least, most: room.most + most })
  }
  const known = new Set<string>()
  for (const it of heard) {
    const publisher = publishers.get(it.publisher)
    if (!publisher) throw new Error(`nobody knows the publisher ${it.publisher}`)
    known.add(`${it.room} ${it.publisher}`)
    const holes = holesIn(it)
    const tail = (publisher.rooms[it.room] ?? it.last) - it.last
    // what came before the first one is missing only for those who were there, and maybe for those who were about to be
    const head = it.first - 1
    const { wasThere, mayHaveBeen } = presence(publisher, listener)
    // the dead tell nobody where they began and ended
    const least = holes + (publisher.isAlive ? tail + (wasThere ? head : 0) : 0)
    lose(it.room, least, holes + tail + (mayHaveBeen ? head : 0))
  }
  for (const [name, publisher] of publishers) {
    const { wasThere, mayHaveBeen } = presence(publisher, listener)
    for (const [room, count] of Object.entries(publisher.rooms)) {
      if (known.has(`${room} ${name}`)) continue
      lose(room, publisher.isAlive && wasThere ? count : 0, mayHaveBeen ? count : 0)
    }
  }
  return losses
}

function presence(publisher: Began, listener: Began) {
  return {
    wasThere: publisher.startedAt > listener.readyAt + MARGIN_MS,
    mayHaveBeen: publisher.readyAt > listener.startedAt,
  }
}
