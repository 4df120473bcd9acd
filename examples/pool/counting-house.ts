/**
 * A server that counts words, one text at a time per connection, and slowly: the kind of server that one wants several
 * connections to, but not one per question. It can fail on purpose.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as wait } from "node:timers/promises"
import { createHub } from "holdfast"
import { attach } from "holdfast/server"
import type { Answer, Question } from "./protocol.js"

/** A running server. */
export interface CountingHouse extends AsyncDisposable {
  readonly url: string
  /** How many connections have ever come in. */
  readonly desks: number
  /** Cuts every connection at once, as a crash would. */
  crash(): void
}

/** Starts on a free port of this machine. */
export async function openCountingHouse(workMs = 40): Promise<CountingHouse> {
  const hub = createHub<Question, Answer, { desk: number }>({ concurrency: 1 })
  let desks = 0
  hub.on("connection", ({ connection }) => {
    desks += 1
    connection.data = { desk: desks }
    connection.send({ type: "welcome", desk: desks })
  })
  hub.on("message", async ({ connection, data }) => {
    await wait(workMs)
    connection.send({ type: "counted", words: data.text.split(/\s+/).filter(Boolean).length })
  })
  const http = createServer()
  attach(http, hub)
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    get desks() {
      return desks
    },
    crash() {
      for (const connection of hub.connections.values()) connection.terminate()
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => http.close(resolve))
      await hub.close()
      await closed
    },
  }
}
