/**
 * A bare `ws` client that wants to be refused, and reads why.
 */

import type { IncomingHttpHeaders } from "node:http"
import { type ClientOptions, WebSocket } from "ws"
import { inTime } from "./deadline.js"

/** An HTTP answer that is no 101. */
export interface Refused {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Dials and resolves with the refusal, read to its end. Rejects when it is let in, or when there is no answer. */
export function refusedBy(url: string, options: ClientOptions = {}): Promise<Refused> {
  const socket = new WebSocket(url, options)
  const answer = new Promise<Refused>((resolve, reject) => {
    socket.once("unexpected-response", (_request, response) => {
      const chunks: Buffer[] = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.once("error", reject)
      response.once("end", () => {
        const body = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode as number, headers: response.headers, body })
      })
    })
    socket.once("error", reject)
    socket.once("open", () => {
      socket.terminate()
      reject(new Error("the upgrade was let in"))
    })
  })
  return inTime(answer, `${url} to refuse`)
}
