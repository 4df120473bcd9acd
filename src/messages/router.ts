/**
 * Who handles which message: by its type, after a look at its shape. One router serves any number of connections, hubs and
 * clients, and keeps the messages of each in order; it knows none of them.
 */

import { after, isThenable, settle } from "../core/maybe-promise.js"
import { checkCount, checkFunction, checkOneOf, type Given, reject, resolveOptions } from "../core/options.js"
import type { MaybePromise, Unsubscribe } from "../core/types.js"
import { type Answer, exchange } from "./exchange.js"
import { type CallEnvelope, type Framing, isTag, type RequestId, resolveFraming } from "./framing.js"
import { runMiddlewares } from "./middlewares.js"
import { RequestError } from "./request-error.js"
import { checkTarget, followConnections } from "./router-target.js"
import type {
  ConnectionSource,
  InvalidContext,
  MessageContext,
  MessageHandler,
  MessageOf,
  MessageSource,
  Middleware,
  RequestHandler,
  RouterPeer,
  TagOf,
} from "./router-types.js"
import { checkSchema, type SchemaOutput, type StandardSchema, validate } from "./standard-schema.js"
import { Turns } from "./turns.js"

/** How a router reads messages, and how it takes its time. */
export interface RouterOptions<Key extends string = string> {
  /** The field that holds a message's type. @defaultValue "type" */
  readonly discriminator?: Key
  /** How messages say what they are, in place of `discriminator`: `jsonRpc()`, or your own. @defaultValue tagged() */
  readonly framing?: Framing<Key>
  /**
   * Whether the next message of a peer waits until the one before it has been handled, async handlers included. Messages
   * of different peers never wait for one another.
   * @defaultValue true
   */
  readonly isOrdered?: boolean
  /**
   * How many messages of one peer may wait for their turn. One more is not handled, and is an `error` event with a
   * `QueueFullError`. Connections pause reading long before, by their `concurrency`.
   * @defaultValue 1_024
   */
  readonly maxWaiting?: number
}

/**
 * Makes a router.
 *
 * @typeParam Incoming - The messages that come in: a union, told apart by the discriminator.
 * @typeParam Peer - Where they come from: `HubConnection<…>`, `Connection<…>` or `ReconnectingClient<…>`.
 * @typeParam Replies - What each kind of request is answered with, by type.
 * @typeParam Key - The field that holds a message's type; name it when it is not `type`.
 * @throws InvalidOptionError with the value received.
 *
 * @example
 * const router = createRouter<FromClient, HubConnection<FromClient, FromServer>>()
 *   .on("join", ({ message, peer }) => peer.join(message.room))
 *   .on("say", z.object({ type: z.literal("say"), text: z.string().max(500) }), ({ message }) => tell(message.text))
 * router.mount(hub)
 */
export function createRouter<
  Incoming = unknown,
  Peer extends RouterPeer = RouterPeer,
  Replies = Readonly<Record<string, unknown>>,
  Key extends string = "type",
>(options: Given<RouterOptions<Key>> = {}): Router<Incoming, Peer, Replies, Key> {
  return new Router(options)
}

const DEFAULTS = /* @__PURE__ */ Object.freeze({
  discriminator: undefined as string | undefined,
  framing: undefined as Framing | undefined,
  isOrdered: true,
  maxWaiting: 1_024,
})

/** How one kind of message is handled. */
interface Route {
  readonly schema: StandardSchema | undefined
  readonly handler: (context: never) => unknown
  /** Whether what the handler returns is the reply. */
  readonly isAnswer: boolean
}

/** Handlers by type of message. Made by {@link createRouter}; each method returns the router. */
export class Router<Incoming, Peer extends RouterPeer, Replies, Key extends string> {
  readonly #framing: Framing
  readonly #turns: Turns | undefined
  readonly #routes = new Map<RequestId, Route>()
  /** Another list with each addition: messages on their way keep theirs. */
  #middlewares: readonly Middleware<Incoming, Peer>[] = []
  #otherwise: (context: Context<Incoming, Peer>) => unknown = refuseUnknown
  #invalid: (context: InvalidContext<Incoming, Peer>) => unknown = refuseInvalid

  /** @internal Use {@link createRouter}. */
  constructor(options: Given<RouterOptions<Key>>) {
    const { discriminator, framing, isOrdered, maxWaiting } = resolveOptions(
      "router",
      DEFAULTS,
      options as never,
    )
    this.#framing = resolveFraming("router", discriminator, framing)
    checkOneOf("router.isOrdered", isOrdered, [true, false])
    this.#turns = isOrdered ? new Turns(checkCount("router.maxWaiting", maxWaiting)) : undefined
  }

  /**
   * Handles the messages of a type. With a schema, a message is looked at first, and the handler gets what the schema
   * made of it. A type has one handler: a later one takes its place.
   *
   * The handler may be async. What it throws is an `error` event with stage `listener` where the router is mounted; the
   * peer is told nothing, unless it is a {@link RequestError}.
   *
   * @throws InvalidOptionError for something that is no validator or no function.
   */
  on<Tag extends TagOf<Incoming, Key>>(
    tag: Tag,
    handler: MessageHandler<MessageOf<Incoming, Key, Tag>, Peer>,
  ): this
  on<Tag extends TagOf<Incoming, Key>, Schema extends StandardSchema>(
    tag: Tag,
    schema: Schema,
    handler: MessageHandler<SchemaOutput<Schema>, Peer>,
  ): this
  on(tag: RequestId, ...rest: readonly unknown[]): this {
    return this.#add(tag, false, rest)
  }

  /**
   * Answers the requests of a type: what the handler returns is the reply, what it throws the refusal. A
   * {@link RequestError} is sent as it is; of any other error the peer learns nothing but that there was one, and it is an
   * `error` event as well. A message that is no request is handled all the same, and not answered.
   *
   * @throws InvalidOptionError for something that is no validator or no function.
   */
  answer<Tag extends TagOf<Incoming, Key> & keyof Replies>(
    tag: Tag,
    handler: RequestHandler<MessageOf<Incoming, Key, Tag>, Peer, Replies[Tag]>,
  ): this
  answer<Tag extends TagOf<Incoming, Key> & keyof Replies, Schema extends StandardSchema>(
    tag: Tag,
    schema: Schema,
    handler: RequestHandler<SchemaOutput<Schema>, Peer, Replies[Tag]>,
  ): this
  answer(tag: RequestId, ...rest: readonly unknown[]): this {
    return this.#add(tag, true, rest)
  }

  /**
   * Stands around the handling of every message that comes after it was added, in the order of these calls: before the
   * type is looked up and the schema asked. A message for which it does not call `next` is not handled. One that calls it
   * and does not wait sees nothing of what comes of it; the message is handled, and answered, all the same.
   */
  use(middleware: Middleware<Incoming, Peer>): this {
    this.#middlewares = [...this.#middlewares, checkHandler("router.use", middleware)]
    return this
  }

  /**
   * Handles messages whose type has no handler. Without it they are refused: the peer gets a message of type `error` with
   * the code `UNKNOWN_TYPE`.
   */
  otherwise(handler: MessageHandler<Incoming, Peer>): this {
    this.#otherwise = checkHandler("router.otherwise", handler)
    return this
  }

  /**
   * Handles messages that do not fit their schema. Without it they are refused: the peer gets a message of type `error`
   * with the code `INVALID_MESSAGE`, and nothing of what the validator says.
   */
  invalid(handler: (context: InvalidContext<Incoming, Peer>) => unknown): this {
    this.#invalid = checkHandler("router.invalid", handler)
    return this
  }

  /**
   * Handles the messages of a hub, a connection or a client from now on. May be mounted on several.
   * @returns the undo: no further message is handled, those that wait for their turn included.
   * @throws InvalidOptionError for anything else, such as an HTTP server or a plain WebSocket.
   */
  mount(target: ConnectionSource<Incoming, Peer> | (Peer & MessageSource<Incoming>)): Unsubscribe {
    checkTarget(target)
    let isMounted = true
    const line = followConnections<Peer>(target, {
      framing: this.#framing,
      handle: (call, peer) => this.#handle(call, peer),
      send: (message, peer) => peer.send(message as never),
    })
    const undo = (target as ConnectionSource<Incoming, Peer>).on("message", ({ connection, data }) => {
      const peer = connection ?? (target as Peer)
      const { parts } = line
      if (!isMounted) return undefined
      if (!this.#turns) return exchange(parts, data, peer)
      if (!this.#turns.isFree(peer))
        return this.#turns.take(peer, () => (isMounted ? exchange(parts, data, peer) : undefined))
      const done = exchange(parts, data, peer)
      if (isThenable(done)) this.#turns.begun(peer, done)
      return done
    })
    return () => {
      isMounted = false
      line.stop()
      undo()
    }
  }

  #add(tag: RequestId, isAnswer: boolean, rest: readonly unknown[]): this {
    const method = `router.${isAnswer ? "answer" : "on"}`
    if (!isTag(tag)) reject(`${method} type`, "a string or a number", tag)
    const path = `${method}(${JSON.stringify(tag)})`
    const [schema, handler] = rest.length > 1 ? rest : [undefined, rest[0]]
    this.#routes.set(tag, {
      schema: schema === undefined ? undefined : checkSchema(`${path} schema`, schema as StandardSchema),
      handler: checkHandler(path, handler as Route["handler"]),
      isAnswer,
    })
    return this
  }

  #handle({ message, tag, id }: CallEnvelope, peer: Peer): MaybePromise<Answer | undefined> {
    const context = { message: message as Incoming, peer, tag, id }
    if (this.#middlewares.length === 0) return this.#route(context)
    let answer: Answer | undefined
    const handle = () =>
      after(this.#route(context), (it) => {
        answer = it
      })
    return runMiddlewares(this.#middlewares, context, handle).then(() => answer)
  }

  #route(context: Context<Incoming, Peer>): MaybePromise<Answer | undefined> {
    const route = context.tag === undefined ? undefined : this.#routes.get(context.tag)
    if (!route) return after(this.#otherwise(context), nothing)
    if (!route.schema) return call(route, context)
    const { schema } = route
    return settle(
      () => validate(schema, context.message),
      (result) =>
        result.issues
          ? this.#refuse({ ...context, issues: result.issues, cause: undefined })
          : call(route, { ...context, message: result.value }),
      (cause) => this.#refuse({ ...context, issues: [], cause }),
    ) as MaybePromise<Answer | undefined>
  }

  #refuse(context: InvalidContext<Incoming, Peer>): MaybePromise<undefined> {
    return after(this.#invalid(context), nothing)
  }
}

type Context<Incoming, Peer> = MessageContext<Incoming, Peer>

function call(route: Route, context: Context<unknown, unknown>): MaybePromise<Answer | undefined> {
  const returned = route.handler(context as never)
  return after(returned, route.isAnswer ? answered : nothing)
}

const answered = (value: unknown): Answer => ({ value })
const nothing = (): undefined => undefined

function refuseUnknown(): never {
  throw new RequestError("UNKNOWN_TYPE", "messages of this type are not handled here")
}

function refuseInvalid({ cause }: InvalidContext<unknown, unknown>): never {
  throw new RequestError("INVALID_MESSAGE", "the message does not fit its schema", { cause })
}

function checkHandler<T>(path: string, handler: T): T {
  return checkFunction(path, handler ?? reject(path, "a function", handler))
}
