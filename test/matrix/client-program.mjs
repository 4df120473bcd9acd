/**
 * One client's whole life, for any runtime: it dials a server that fails at first, sends until a message has come
 * back, and closes. What it is told is plain data; what it tells are plain events.
 */

const BYTES = new Uint8Array([0, 127, 128, 255])

/**
 * @param {typeof import("holdfast")} holdfast
 * @param {{ url: string, control: string, course: string, isNative: boolean, options: object }} task
 * @param {(event: { event: string }) => void} tell
 */
export async function runClient({ ReconnectingClient, binary, json }, task, tell) {
  const start = performance.now()
  const isIdle = task.course === "idle"
  const client = new ReconnectingClient(task.url, {
    backoff: { initialMs: 20, maxMs: 20, floorMs: 1, jitter: "none" },
    codec: isIdle ? json() : binary(),
    heartbeat: isIdle && { intervalMs: 50, timeoutMs: 10_000 },
    ...(task.isNative && { WebSocket: globalThis.WebSocket }),
    ...task.options,
  })
  const seen = { connecting: 0, open: 0, pong: 0, message: 0 }
  const count = (event, details = {}) => {
    seen[event] = (seen[event] ?? 0) + 1
    tell({ event, ...details })
  }
  const leave = () => client.close(4001, "done")

  client.on("error", ({ error, stage }) =>
    tell({ event: "error", stage, code: error?.code, status: error?.status, message: error?.message }),
  )
  client.on("state", ({ to, lastClose }) => {
    count(to, to === "waiting" ? { lost: lastClose.code } : {})
    if (to === "open") client.send(isIdle ? { text: "hello" } : BYTES)
    if (to === "connecting" && seen.connecting === 1) void interfere()
  })
  client.on("message", ({ data }) => {
    count("message", { ms: Math.round(performance.now() - start), isEqual: isEqual(data) })
    if (!isIdle || seen.pong > 0) leave()
  })
  client.on("pong", ({ rttMs }) => {
    count("pong", { isTime: rttMs >= 0 })
    if (seen.message > 0) leave()
  })
  const { cause } = await client.closed
  tell({ event: "end", cause, ms: Math.round(performance.now() - start) })

  /** Lets go of the first attempt once the server holds it unanswered. */
  async function interfere() {
    if (task.course !== "pause" && task.course !== "give-up") return
    await fetch(task.control)
    if (task.course === "give-up") return leave()
    client.pause()
    client.connect()
  }

  function isEqual(data) {
    return isIdle ? data.text === "hello" : data instanceof Uint8Array && [...data].join() === BYTES.join()
  }
}
