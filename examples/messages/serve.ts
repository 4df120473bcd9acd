/**
 * A hub on a free port of this machine, for the examples beside this file.
 */

import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Hub } from "holdfast"
import { attach } from "holdfast/server"

/** Where a hub listens, and the end of it. */
export interface Served extends AsyncDisposable {
  readonly url: string
}

/** Lets a hub take connections. */
export async function serve<Incoming, Outgoing, Data>(hub: Hub<Incoming, Outgoing, Data>): Promise<Served> {
  const http = createServer()
  attach(http, hub)
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))
  return {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      await hub.close()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}
