/**
 * One `on…` attribute of an event target. It follows the rules of event handler IDL attributes (HTML, section
 * 8.1.8.1) and knows nothing of what the events mean.
 */

/** What an `on…` attribute can hold. Compared as a method is, so that a handler typed for a plain `WebSocket` fits. */
export type EventHandler<E extends Event> =
  | {
      /** Takes one event. */
      handle(event: E): unknown
    }["handle"]
  | null

/**
 * A handler takes its place among the listeners when it is first set. Another handler takes over that place; `null`
 * gives it up.
 */
export class EventHandlerSlot<E extends Event> {
  readonly #target: EventTarget
  readonly #type: string
  readonly #listener = (event: Event) => {
    this.#handler?.call(this.#target, event as E)
  }
  #handler: EventHandler<E> = null

  constructor(target: EventTarget, type: string) {
    this.#target = target
    this.#type = type
  }

  get handler(): EventHandler<E> {
    return this.#handler
  }

  /** What is not a function counts as `null`. */
  set handler(given: EventHandler<E>) {
    const isSet = typeof given === "function"
    if (isSet && !this.#handler) this.#target.addEventListener(this.#type, this.#listener)
    if (!isSet) this.#target.removeEventListener(this.#type, this.#listener)
    this.#handler = isSet ? given : null
  }
}
