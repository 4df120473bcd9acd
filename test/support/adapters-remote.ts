/**
 * Adapters that live in workers, seen from their parent: each call is a message to the worker, each callback one from it.
 */

import type { Adapter, AdapterContext, AdapterHealth } from "holdfast"

/** A call to an adapter in a worker. */
export interface RemoteCall {
  readonly remote: "call"
  readonly id: number
  readonly adapter: number
  readonly method: "make" | "connect" | "subscribe" | "unsubscribe" | "publish" | "send" | "close"
  readonly args: readonly unknown[]
}

/** What a worker says. Each has the adapter's health at that moment. */
export type RemoteNews = { readonly adapter: number; readonly health: AdapterHealth } & (
  | {
      readonly remote: "return"
      readonly id: number
      readonly error?: { readonly message: string; readonly code: unknown }
    }
  | {
      readonly remote: "event"
      readonly name: "onMessage" | "onOperation" | "onState" | "onGap"
      readonly args: readonly never[]
    }
)

/** A worker of either kind. */
export interface RemoteHost {
  post(message: RemoteCall): void
  onMessage(listener: (message: unknown) => void): void
}

/** The adapters in one worker. */
export class RemoteWorker {
  readonly #host: RemoteHost
  readonly #adapters = new Map<number, RemoteAdapter>()
  readonly #returns = new Map<number, (news: RemoteNews & { remote: "return" }) => void>()
  #calls = 0

  constructor(host: RemoteHost) {
    this.#host = host
    host.onMessage((message) => this.#hear(message as RemoteNews))
  }

  /** Makes an adapter there. */
  async makeAdapter(options: object): Promise<Adapter> {
    const number = this.#adapters.size + 1
    const remote = new RemoteAdapter((method, args) => this.#call(number, method, args))
    this.#adapters.set(number, remote)
    await this.#call(number, "make", [options])
    return remote
  }

  #call(adapter: number, method: RemoteCall["method"], args: readonly unknown[]): Promise<void> {
    this.#calls += 1
    const id = this.#calls
    return new Promise((resolve, reject) => {
      this.#returns.set(id, ({ error }) => {
        if (error) reject(Object.assign(new Error(error.message), { code: error.code }))
        else resolve()
      })
      this.#host.post({ remote: "call", id, adapter, method, args })
    })
  }

  #hear(news: RemoteNews): void {
    if (news.remote !== "return" && news.remote !== "event") return
    const adapter = this.#adapters.get(news.adapter)
    adapter?.note(news.health)
    if (news.remote === "event") adapter?.hear(news.name, news.args)
    else {
      this.#returns.get(news.id)?.(news)
      this.#returns.delete(news.id)
    }
  }
}

type Call = (method: RemoteCall["method"], args: readonly unknown[]) => Promise<void>

class RemoteAdapter implements Adapter {
  readonly capabilities = {
    ...({ interest: "channel", order: "publisher", history: false, presence: false } as const),
    maxPayloadBytes: 64 * 1024 * 1024,
  }
  readonly #call: Call
  #context: AdapterContext | undefined
  #health: AdapterHealth = { state: "down", pendingPublishes: 0, subscriptions: 0 }

  constructor(call: Call) {
    this.#call = call
  }

  connect(context: AdapterContext): Promise<void> {
    this.#context = context
    return this.#call("connect", [context.nodeId])
  }

  subscribe(channels: readonly string[]): Promise<void> {
    return this.#call("subscribe", [channels])
  }

  unsubscribe(channels: readonly string[]): Promise<void> {
    return this.#call("unsubscribe", [channels])
  }

  publish(...args: Parameters<Adapter["publish"]>): Promise<void> {
    return this.#call("publish", args)
  }

  send(...args: Parameters<Adapter["send"]>): Promise<void> {
    return this.#call("send", args)
  }

  health(): AdapterHealth {
    return this.#health
  }

  close(options: { readonly deadlineMs: number }): Promise<void> {
    return this.#call("close", [options])
  }

  /** Its health, as the worker saw it last. */
  note(health: AdapterHealth): void {
    this.#health = health
  }

  /** Calls back. */
  hear(name: "onMessage" | "onOperation" | "onState" | "onGap", args: readonly never[]): void {
    ;(this.#context?.[name] as ((...args: readonly never[]) => void) | undefined)?.(...args)
  }
}
