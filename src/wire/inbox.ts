/**
 * What one connection has received and not yet handed on: nothing is lost before the first listener, and reading
 * stops while listeners are busy. It decodes nothing and knows no socket.
 */

import type { IteratorOwner } from "./message-iterator.js"
import { MessageIterator } from "./message-iterator.js"

/** Whose inbox it is. */
export interface InboxOwner<Message> {
  /** Whether anybody but iterators takes messages. */
  hasListeners(): boolean
  /** Hands a message to the listeners. */
  deliver(message: Message): void
  /** Stops reading; returns whether the socket can. */
  pauseReading(): boolean
  /** Reads on. */
  resumeReading(): void
  /** Too much waits, and the socket cannot be paused. Called once. */
  flooded(waiting: number): void
  /** Reading was paused because nobody takes messages. Ends in {@link Inbox.discard} when nobody comes. */
  unheard(): void
}

/** How many messages may wait in front of busy listeners when the socket cannot be paused. */
const MAX_WAITING = 1_024

/** Messages in order of arrival, and the rule for when the next is handed on. */
export class Inbox<Message> implements IteratorOwner<Message> {
  readonly #owner: InboxOwner<Message>
  readonly #concurrency: number
  #waiting: Message[] | undefined
  #iterators: Set<MessageIterator<Message>> | undefined
  #handled: (() => void) | undefined
  #inFlight = 0
  /** How many handlers one message has kept busy so far, at most. */
  #breadth = 1
  #isPaused = false
  #isHanding = false
  #isDiscarding = false
  #phase: "open" | "closing" | "ended" = "open"

  constructor(owner: InboxOwner<Message>, concurrency: number) {
    this.#owner = owner
    this.#concurrency = concurrency
  }

  /** Whether reading is paused because of what waits here. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Whether messages wait here. */
  get isHolding(): boolean {
    return this.#held > 0
  }

  /** A message came in. */
  push(message: Message): void {
    // the usual case, before anything is looked at twice: listeners that are not busy, and nothing that waits
    if (this.#inFlight === 0 && !this.#iterators && !this.#waiting?.length && this.#owner.hasListeners()) {
      this.#isDiscarding = false
      this.#isHanding = true
      try {
        this.#owner.deliver(message)
      } finally {
        this.#isHanding = false
      }
      if (this.#inFlight > 0) this.#begun(this.#inFlight)
      if (this.#phase === "ended") this.pump()
      return
    }
    this.#isDiscarding &&= !this.#hasReaders
    if (this.#isDiscarding) return
    if (!this.#waiting?.length && this.#isReady) this.#hand(message)
    else this.#hold(message)
    // the end may have come while the message was handed on
    if (this.#phase === "ended") this.pump()
  }

  /** A handler started that will call {@link handled} when it is done. */
  handling(): void {
    this.#inFlight += 1
  }

  /** To be called when a handler is done. */
  get handled(): () => void {
    // made for the first handler that takes its time: few connections have one
    this.#handled ??= () => {
      this.#inFlight -= 1
      this.pump()
    }
    return this.#handled
  }

  /** A new reader of everything from now on; what was held for the first reader comes first. */
  iterate(limit: number): MessageIterator<Message> {
    const iterator = new MessageIterator<Message>(this, limit)
    this.#iterators ??= new Set()
    this.#iterators.add(iterator)
    this.pump()
    return iterator
  }

  /** Hands on what waits, as far as readers are ready. */
  pump(): void {
    // a listener that asks for more gets it after everybody has seen this one
    if (this.#isHanding) return
    while (this.#waiting?.length && this.#isReady) this.#hand(this.#waiting.shift() as Message)
    if (!this.#isFull) this.#resume()
    // the last reader has left: nobody else would ever take up the reading
    else if (this.#isPaused && !this.#hasReaders && this.#phase === "open") this.#owner.unheard()
    if (this.#phase !== "ended" || this.#held > 0) return
    for (const iterator of this.#iterators ?? []) iterator.end()
  }

  /**
   * Nobody has come to take messages: what waits is forgotten, and so is what follows until somebody does. Reading goes
   * on, because a connection that is not read is one whose end is not seen. Returns whether it came to that.
   */
  discard(): boolean {
    if (this.#hasReaders) return false
    this.#isDiscarding = true
    this.#waiting = undefined
    this.#resume()
    return true
  }

  /** The closing handshake has begun: from now on everything is read, or its end would not be seen. */
  closing(): void {
    this.#phase = "closing"
    this.#resume()
  }

  /** Nothing more will come. Readers still get what waits. */
  end(): void {
    this.#phase = "ended"
    this.pump()
  }

  taken(): void {
    this.pump()
  }

  returned(iterator: MessageIterator<Message>): void {
    this.#iterators?.delete(iterator)
    if (this.#iterators?.size === 0) this.#iterators = undefined
    this.pump()
  }

  get #held(): number {
    return this.#waiting?.length ?? 0
  }

  get #hasReaders(): boolean {
    return this.#iterators !== undefined || this.#owner.hasListeners()
  }

  get #isReady(): boolean {
    const isBusy = this.#inFlight > 0 && this.#inFlight + this.#breadth > this.#concurrency
    if (isBusy || !this.#hasReaders) return false
    if (this.#iterators) for (const iterator of this.#iterators) if (iterator.isFull) return false
    return true
  }

  /** Whether reading should stop: readers are busy, or there is none and enough waits for the first. */
  get #isFull(): boolean {
    return !this.#isReady && (this.#hasReaders || this.#held >= this.#concurrency)
  }

  #hand(message: Message): void {
    const busyBefore = this.#inFlight
    this.#isHanding = true
    try {
      if (this.#iterators) for (const iterator of this.#iterators) iterator.push(message)
      if (this.#owner.hasListeners()) this.#owner.deliver(message)
    } finally {
      this.#isHanding = false
    }
    this.#begun(this.#inFlight - busyBefore)
  }

  /** A message keeps so many handlers busy. The next is likely to do so too, and waits until there is room for them. */
  #begun(handlers: number): void {
    if (handlers > this.#breadth) this.#breadth = handlers
    if (this.#isFull) this.#pause()
  }

  #hold(message: Message): void {
    // while it closes, what nobody is ready for has a bound as well
    if (this.#phase !== "open" && this.#held >= MAX_WAITING) return
    this.#waiting ??= []
    if (this.#waiting.push(message) === MAX_WAITING && !this.#pause()) this.#owner.flooded(MAX_WAITING)
    else if (this.#isFull) this.#pause()
  }

  #resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#owner.resumeReading()
  }

  #pause(): boolean {
    if (this.#isPaused || this.#phase !== "open") return this.#isPaused
    this.#isPaused = this.#owner.pauseReading()
    if (this.#isPaused && !this.#hasReaders) this.#owner.unheard()
    return this.#isPaused
  }
}
