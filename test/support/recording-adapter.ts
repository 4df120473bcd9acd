/**
 * An adapter that goes nowhere: it writes down what its hub asks of it, answers as told, and plays the other nodes.
 */

import type {
  Adapter,
  AdapterContext,
  AdapterHealth,
  AdapterMessage,
  MaybePromise,
  Payload,
  PublishMeta,
} from "holdfast"

/** How it answers; anything left out succeeds at once. */
export type Answers = Partial<Pick<Adapter, "connect" | "subscribe" | "unsubscribe" | "publish" | "close">>

/** One publication. */
export interface Publication extends PublishMeta {
  readonly channel: string
  readonly payload: Payload
}

export class RecordingAdapter implements Adapter {
  readonly capabilities = {
    interest: "channel",
    order: "publisher",
    history: false,
    presence: false,
    maxPayloadBytes: false,
  } as const
  readonly subscribed: string[] = []
  readonly unsubscribed: string[] = []
  readonly published: Publication[] = []
  readonly closed: { readonly deadlineMs: number }[] = []
  /** Channels asked for and not given up since. */
  readonly channels = new Set<string>()
  context!: AdapterContext
  readonly #answers: Answers

  constructor(answers: Answers = {}) {
    this.#answers = answers
  }

  connect(context: AdapterContext): MaybePromise<void> {
    this.context = context
    return this.#answers.connect?.(context)
  }

  subscribe(channels: readonly string[]): MaybePromise<void> {
    this.subscribed.push(...channels)
    for (const channel of channels) this.channels.add(channel)
    return this.#answers.subscribe?.(channels)
  }

  unsubscribe(channels: readonly string[]): MaybePromise<void> {
    this.unsubscribed.push(...channels)
    for (const channel of channels) this.channels.delete(channel)
    return this.#answers.unsubscribe?.(channels)
  }

  publish(channel: string, payload: Payload, meta: PublishMeta): MaybePromise<void> {
    this.published.push({ channel, payload, ...meta })
    return this.#answers.publish?.(channel, payload, meta)
  }

  send(): void {}

  health(): AdapterHealth {
    return { state: "up", pendingPublishes: 0, subscriptions: this.channels.size }
  }

  close(options: { readonly deadlineMs: number }): MaybePromise<void> {
    this.closed.push(options)
    return this.#answers.close?.(options)
  }

  /** Another node published. */
  deliver(message: Pick<AdapterMessage, "channel" | "payload"> & Partial<AdapterMessage>): void {
    this.context.onMessage({ exceptIds: [], exceptChannels: [], nodeId: "another", ...message })
  }
}
