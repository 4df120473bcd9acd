/**
 * A server program of the matrix, started and talked to: clients of `ws`, plain HTTP, and what the program tells. It knows no
 * runtime.
 */

import { get } from "node:http"
import { WebSocket } from "ws"
import type { Runtime } from "../../scripts/runtimes.js"
import { inTime, until } from "./deadline.js"
import { type ProgramEvent, type Run, runProgram } from "./matrix-process.js"

/** How long a program may take to start on a busy machine, in milliseconds. */
const START_MS = 15_000

/** A hub in a process of its own. */
export class MatrixServer {
  readonly #run: Promise<Run>
  readonly #port: number
  /** What the program has told so far. */
  readonly events: ProgramEvent[]

  private constructor(run: Promise<Run>, port: number, events: ProgramEvent[]) {
    this.#run = run
    this.#port = port
    this.events = events
  }

  /** Starts the program; `task` has options of the hub and of `attach`. */
  static async start(runtime: Runtime, task: object): Promise<MatrixServer> {
    const events: ProgramEvent[] = []
    let started = (_port: number) => {}
    const port = new Promise<number>((resolve) => {
      started = resolve
    })
    const run = runProgram(runtime, "server-main.mjs", {
      task,
      onEvent: (event) => {
        events.push(event)
        if (event.event === "listening") started(event.port as number)
      },
    })
    const early = run.then(({ trouble }) => Promise.reject(new Error(`ended before it listened: ${trouble}`)))
    early.catch(() => {})
    return new MatrixServer(
      run,
      await inTime(Promise.race([port, early]), "the program to listen", START_MS),
      events,
    )
  }

  /** Opens a client in a room. Rejects when it is refused. */
  async connect(
    room: string,
    options: { readonly autoPong?: boolean; readonly origin?: string } = {},
  ): Promise<MatrixClient> {
    const client = new MatrixClient(new WebSocket(`ws://127.0.0.1:${this.#port}/ws/${room}`, options))
    await inTime(client.opened, `a connection to ${room}`, START_MS)
    return client
  }

  /** What a client is told that is not let in: "401", and `Retry-After` where there is one. */
  async knock(
    room: string,
    options: { readonly origin?: string } = {},
  ): Promise<{ status: number; retryAfter: string | undefined }> {
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}/ws/${room}`, options)
    const answer = new Promise<{ status: number; retryAfter: string | undefined }>((resolve, reject) => {
      socket.on("open", () => reject(new Error(`${room} was let in`)))
      socket.on("error", reject)
      socket.on("unexpected-response", (_request, response) => {
        resolve({ status: response.statusCode ?? 0, retryAfter: response.headers["retry-after"] })
        response.destroy()
      })
    })
    return inTime(answer, "a refusal", START_MS)
  }

  /** Resolves once the program has told an event like this. */
  async told(event: object): Promise<void> {
    const isLike = (it: ProgramEvent) => Object.entries(event).every(([key, value]) => it[key] === value)
    await until(
      () => this.events.some(isLike),
      `the program to tell ${JSON.stringify(event)}, not ${JSON.stringify(this.events)}`,
      START_MS,
    )
  }

  /** Has the program end. Resolves with how it did. */
  async end(): Promise<Run> {
    const port = this.#port
    const asked = new Promise((resolve, reject) =>
      get({ port, path: "/end", agent: false }, (it) => resolve(it.resume())).on("error", reject),
    )
    await inTime(asked, "the program to be told", START_MS)
    return this.#run
  }
}

/** A client of such a server. */
export class MatrixClient {
  /** The socket itself. */
  readonly socket: WebSocket
  /** What came in. */
  readonly messages: Record<string, unknown>[] = []
  /** How many pings came in. */
  pings = 0
  /** Resolves when it is open. */
  readonly opened: Promise<void>
  /** Resolves with how it ended. */
  readonly closed: Promise<{ code: number; reason: string }>

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on("message", (data) => this.messages.push(JSON.parse(String(data))))
    socket.on("ping", () => {
      this.pings += 1
    })
    this.opened = new Promise((resolve, reject) => {
      socket.once("open", () => resolve())
      socket.once("error", reject)
    })
    socket.on("error", () => {})
    this.closed = new Promise((resolve) =>
      socket.once("close", (code, reason) => resolve({ code, reason: String(reason) })),
    )
  }

  /** Asks for a command of the program. */
  ask(command: string, argument: unknown = ""): void {
    this.socket.send(JSON.stringify([command, argument]))
  }

  /** Resolves once so many messages have come in. */
  async got(count: number): Promise<readonly Record<string, unknown>[]> {
    await until(
      () => this.messages.length >= count,
      `${count} messages, not ${JSON.stringify(this.messages)}`,
      START_MS,
    )
    return this.messages
  }

  /** Resolves with how it ended. */
  end(): Promise<{ code: number; reason: string }> {
    return inTime(this.closed, "the connection to end", START_MS)
  }
}
