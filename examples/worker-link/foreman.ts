/**
 * Hands jobs to whichever worker is free. Workers come, go, and are lost in the middle of a job, which is then handed to
 * another one: jobs here may be done twice. It does not know where its workers run.
 */

import { timingSafeEqual } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createHub, createRequests, createRouter, type HubConnection, hasErrorCode } from "holdfast"
import { attach } from "holdfast/server"
import type { FromForeman, FromWorker, WorkerReplies } from "./protocol.js"

type Worker = HubConnection<FromWorker, FromForeman, { name: string }>

/** A result, and who has done it. */
export interface Done {
  readonly result: string
  readonly by: string
}

/** A running foreman. */
export interface Foreman extends AsyncDisposable {
  readonly url: string
  /** Resolves when so many workers have come, those counted that have left. */
  cameIn(count: number): Promise<void>
  /** Has a job done, once there is somebody for it. */
  digest(of: string): Promise<Done>
  /** Called when a job is given to a worker, with the worker's process and a way to cut its line. */
  onGiven: (of: string, worker: { pid: number; cut(): void }) => void
}

/** Starts on a free port of this machine. Workers show the secret. */
export async function startForeman(secret: string): Promise<Foreman> {
  const requests = createRequests<WorkerReplies>({ timeoutMs: 10_000 })
  const hub = createHub<FromWorker, FromForeman, { name: string }>({
    heartbeat: { intervalMs: 2_000, timeoutMs: 2_000 }, // a worker that hangs is worth noticing sooner than a visitor
  })
  const pids = new Map<string, number>()
  const free: Worker[] = []
  const waiting: ((worker: Worker) => void)[] = []
  const arrivals: { count: number; resolve(): void }[] = []

  const put = (worker: Worker) => {
    const next = waiting.shift()
    if (next) next(worker)
    else free.push(worker)
  }

  /** A free worker whose line is open, as soon as there is one. */
  const take = async (): Promise<Worker> => {
    for (;;) {
      const worker = free.shift() ?? (await new Promise<Worker>((resolve) => waiting.push(resolve)))
      if (worker.state === "open") return worker
    }
  }

  createRouter<FromWorker, Worker>()
    .on("ready", ({ message, peer }) => {
      pids.set(peer.id, message.pid)
      put(peer)
      for (const { count, resolve } of arrivals) if (pids.size >= count) resolve()
    })
    .mount(hub)

  const http = createServer()
  attach(http, hub, {
    authenticate: ({ headers }) => {
      if (!isSame(headers.authorization, `Bearer ${secret}`)) return { status: 401 }
      return { data: { name: String(headers["x-worker"]) } }
    },
    limits: { messagesPerSecond: false, bytesPerSecond: false }, // they are ours
  })
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve))

  const foreman: Foreman = {
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    onGiven: () => {},
    async cameIn(count) {
      if (pids.size < count) await new Promise<void>((resolve) => arrivals.push({ count, resolve }))
    },
    async digest(of) {
      const worker = await take()
      try {
        const reply = requests.request(worker, { type: "digest", of, rounds: 1_000 })
        foreman.onGiven(of, { pid: pids.get(worker.id) ?? 0, cut: () => worker.terminate() })
        const done = { result: await reply, by: worker.data.name }
        put(worker)
        return done
      } catch (error) {
        if (!hasErrorCode(error, "CONNECTION_LOST")) throw error
        console.log(`foreman: ${worker.data.name} was lost with ${of}, which goes to another`)
        return foreman.digest(of)
      }
    },
    async [Symbol.asyncDispose]() {
      await hub.close()
      await new Promise((resolve) => http.close(resolve))
    },
  }
  return foreman
}

/** Compares in a time that says nothing of where they differ. */
function isSame(given: string | undefined, wanted: string): boolean {
  const [one, other] = [Buffer.from(given ?? ""), Buffer.from(wanted)]
  return one.length === other.length && timingSafeEqual(one, other)
}
