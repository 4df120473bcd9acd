/**
 * The end of the servers in this folder that have none of their own: clients are sent away in good order first.
 */

import type { Server } from "node:http"
import type { Hub } from "holdfast"
import type { Attachment } from "holdfast/server"

/** On SIGINT or SIGTERM drains the attachment, and closes the hub and the server, so that the process can end. */
export function stopOnSignals(
  attachment: Pick<Attachment, "drain">,
  hub: Pick<Hub, "close">,
  server: Pick<Server, "close" | "closeIdleConnections">,
): void {
  const stop = async () => {
    await attachment.drain({ windowMs: 1_000 })
    await hub.close()
    server.close()
    server.closeIdleConnections()
  }
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, stop)
}
