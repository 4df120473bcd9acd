/**
 * Reconnecting clients in a process of their own. They keep a diary: when they dialled, opened and ended, and what became
 * of what they sent.
 */

import { ReconnectingClient, type ReconnectingClientOptions, text } from "holdfast"
import { takeOrders } from "../orders.js"
import type { ClientSettings, Diary, Sent } from "./client-settings.js"

/** How many dial at a time at the start. */
const AT_ONCE = 100

const { name = "a", isOnce = false, options = {} } = JSON.parse(process.argv[2] ?? "{}") as ClientSettings
const clients: ReconnectingClient<string, string>[] = []
const diary: Diary = { tries: [], plannedMs: [], opens: [], ends: [] }
const sent: Sent = { confirmed: [], unconfirmed: [], refused: [] }
const pending = new Set<Promise<void>>()
let sending: NodeJS.Timeout | undefined
let serial = 0

await takeOrders(async () => ({
  async open({ port, count }: { port: number; count: number }) {
    for (let left = count; left > 0; left -= AT_ONCE) {
      await Promise.all(Array.from({ length: Math.min(AT_ONCE, left) }, () => add(port).opened))
    }
    return clients.length
  },
  openNow: () => clients.filter((it) => it.state === "open").length,
  ended: () => diary.ends.length,
  diary: () => diary,
  /** Every client sends one message in each such time. */
  send(everyMs: number) {
    sending = setInterval(() => {
      for (const client of clients) sendFrom(client)
    }, everyMs)
    return true
  },
  /** Sends nothing more, and says what became of everything once that is known. */
  async settle() {
    clearInterval(sending)
    await Promise.all(pending)
    return sent
  },
}))

function add(port: number): ReconnectingClient<string, string> {
  const once: ReconnectingClientOptions = isOnce ? { shouldReconnect: () => false } : {}
  const client = new ReconnectingClient<string, string>(`ws://127.0.0.1:${port}/`, {
    codec: text(),
    logger: false,
    ...options,
    ...once,
  } as ReconnectingClientOptions<string, string>)
  let words = 0
  client.on("message", () => {
    words += 1
  })
  client.on("state", ({ from, to, retryAt, lastClose }) => {
    const now = Date.now()
    if (to === "connecting") diary.tries.push(now)
    if (to === "open") diary.opens.push(now)
    if (to === "waiting" && retryAt !== undefined) diary.plannedMs.push(retryAt - now)
    if (from === "open") diary.ends.push({ at: now, code: lastClose?.code ?? 0, words })
  })
  clients.push(client)
  return client
}

function sendFrom(client: ReconnectingClient<string, string>): void {
  const message = `${name}-${serial}`
  serial += 1
  const fate = client.sendAsync(message, { until: "fenced" }).then(
    () => void sent.confirmed.push(message),
    (error: { code?: string }) => {
      if (error.code === "UNCONFIRMED") sent.unconfirmed.push(message)
      else sent.refused.push(message)
    },
  )
  pending.add(fate)
  void fate.then(() => pending.delete(fate))
}
