/**
 * An identity provider as far as it publishes keys: an HTTP server on a free port whose key set can be changed, and which
 * can fail in several ways.
 */

import { startHttp } from "./server-http.js"

/** How the key set is answered. */
type Answer = { readonly status: number; readonly body: string }

/** `"reset"` resets the connection, `"silence"` answers nothing, `"half"` begins an answer that never ends. */
type Failure = "reset" | "silence" | "half"

/** A running provider. */
export interface KeyServer {
  /** Where the keys are. */
  readonly jwks: string
  /** How often they were asked for. */
  readonly requests: number
  /** Publishes these keys from now on. */
  publish(...keys: object[]): void
  /** Answers with this from now on; see {@link Failure}. */
  fail(answer: Answer | Failure): void
}

/** Starts a provider that publishes these keys. It ends with the test. */
export async function startKeyServer(...keys: object[]): Promise<KeyServer> {
  const { server, port } = await startHttp()
  let answer: Answer | Failure = published(keys)
  let requests = 0
  server.removeAllListeners("request")
  server.on("request", (request, response) => {
    requests += 1
    if (answer === "reset") request.socket.resetAndDestroy()
    else if (answer === "half") response.writeHead(200).write('{"keys":[')
    else if (answer !== "silence") response.writeHead(answer.status, { Connection: "close" }).end(answer.body)
  })
  return {
    jwks: `http://127.0.0.1:${port}/.well-known/jwks.json`,
    get requests() {
      return requests
    },
    publish: (...next) => {
      answer = published(next)
    },
    fail: (next) => {
      answer = next
    },
  }
}

function published(keys: object[]): Answer {
  return { status: 200, body: JSON.stringify({ keys }) }
}
