/**
 * The one member on the other node: a plain WebSocket that checks the number of every message it gets.
 */

import { WebSocket } from "ws"
import { waitUntil } from "../endurance/worker.js"

const DEADLINE_MS = 20_000

/** A member of the room. */
export class Member {
  readonly #socket: WebSocket
  #isMember = false
  #next = 0
  #failure: Error | undefined

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on("message", (data) => this.#take(String(data)))
  }

  /** Joins, by the plain protocol or by that of socket.io. */
  static async join(port: number, isSocketIo: boolean): Promise<Member> {
    const path = isSocketIo ? "/socket.io/?EIO=4&transport=websocket" : "/"
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`)
    const member = new Member(socket)
    socket.on("open", () => isSocketIo && socket.send("40"))
    await waitUntil(() => member.#isMember, "the member to be in the room", DEADLINE_MS, 10)
    return member
  }

  /** How many messages have come. */
  get received(): number {
    if (this.#failure) throw this.#failure
    return this.#next
  }

  close(): void {
    this.#socket.terminate()
  }

  #take(frame: string): void {
    if (frame === "2") this.#socket.send("3")
    const text = frame.startsWith('42["m","') ? frame.slice(8) : frame
    if (text.startsWith("joined")) this.#isMember = true
    const serial = Number.parseInt(text, 10)
    if (!text.includes(" .")) return
    if (serial !== this.#next) this.#failure ??= new Error(`expected message ${this.#next}, got ${serial}`)
    this.#next += 1
  }
}
