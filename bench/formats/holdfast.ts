/**
 * Messages through a codec and a router, as they come: dangerous keys and depth are looked for, order is kept.
 */

import { type Codec, createRouter, json } from "holdfast"
import { msgpack } from "holdfast/codecs/msgpack"
import { FRAMES, type GameMessage, type Question, SUM, SUM_OF_ANSWERS } from "./frames.js"
import { SCHEMAS } from "./schemas.js"
import { work } from "./work.js"

type Listener = (payload: { readonly data: never }) => unknown

/** The least that a router can be mounted on. */
class Peer {
  /** What handlers and answers have come to. */
  sum = 0
  #listener: Listener | undefined
  readonly #codec: Codec<never, unknown>

  constructor(codec: Codec<never, unknown>) {
    this.#codec = codec
  }

  on(_event: "message", listener: Listener): () => void {
    this.#listener = listener
    return () => {}
  }

  send(message: unknown): void {
    this.add(this.#codec.encode(message).length)
  }

  add(worth: number): void {
    this.sum += worth
  }

  /** A frame came in. Returns what it has come to. */
  take(data: string | Uint8Array): number {
    const before = this.sum
    this.#listener?.({ data: this.#codec.decode(data) })
    return this.sum - before
  }
}

function game(codec: Codec<never, unknown>): Peer {
  const peer = new Peer(codec)
  createRouter<GameMessage, Peer>()
    .on("join", ({ message }) => peer.add(message.room.length))
    .on("say", ({ message }) => peer.add(message.text.length))
    .on("move", ({ message }) => peer.add(message.x + message.y))
    .on("leave", ({ message }) => peer.add(message.room.length))
    .mount(peer as never)
  return peer
}

function checkedGame(): Peer {
  const peer = new Peer(json())
  createRouter<GameMessage, Peer>()
    .on("join", SCHEMAS.join, ({ message }) => peer.add(message.room.length))
    .on("say", SCHEMAS.say, ({ message }) => peer.add(message.text.length))
    .on("move", SCHEMAS.move, ({ message }) => peer.add(message.x + message.y))
    .on("leave", SCHEMAS.leave, ({ message }) => peer.add(message.room.length))
    .mount(peer as never)
  return peer
}

function adder(): Peer {
  const peer = new Peer(json())
  createRouter<Question, Peer, { add: { sum: number } }>()
    .answer("add", ({ message }) => ({ sum: message.a + message.b }))
    .mount(peer as never)
  return peer
}

await work({
  json() {
    const peer = game(json())
    return { frames: FRAMES.json(), sum: SUM, handle: (frame) => peer.take(frame.toString()) }
  },
  checked() {
    const peer = checkedGame()
    return { frames: FRAMES.json(), sum: SUM, handle: (frame) => peer.take(frame.toString()) }
  },
  answered() {
    const peer = adder()
    return {
      frames: FRAMES.questions(),
      sum: SUM_OF_ANSWERS,
      handle: (frame) => peer.take(frame.toString()),
    }
  },
  msgpack() {
    const peer = game(msgpack())
    return { frames: FRAMES.msgpack(), sum: SUM, handle: (frame) => peer.take(frame) }
  },
})
