/**
 * One HTTP or HTTPS request on a connection of its own, so that none is kept alive beside the sockets of a test.
 */

import { request as requestHttp } from "node:http"
import { request as requestHttps } from "node:https"
import { inTime } from "./deadline.js"
import { cert } from "./server-certificate.js"

/** What came back. */
interface Answer {
  readonly status: number
  readonly body: string
}

/** Sends a request without a body. Trusts the certificate of the examples. */
export function request(url: string, method = "GET"): Promise<Answer> {
  const send = url.startsWith("https:") ? requestHttps : requestHttp
  const answer = new Promise<Answer>((resolve, reject) => {
    const outgoing = send(url, { method, agent: false, ca: cert }, (response) => {
      let body = ""
      response.setEncoding("utf8")
      response.on("data", (chunk: string) => {
        body += chunk
      })
      response.once("error", reject)
      response.once("end", () => resolve({ status: response.statusCode as number, body }))
    })
    outgoing.once("error", reject)
    outgoing.end()
  })
  return inTime(answer, `${method} ${url}`)
}
