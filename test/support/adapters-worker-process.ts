/**
 * A worker, process or thread, whose adapters do what its parent says. Run by the tests.
 */

import { parentPort } from "node:worker_threads"
import { type Adapter, silentLogger } from "holdfast"
import { worker } from "holdfast/adapters/cluster"
import type { RemoteCall, RemoteNews } from "./adapters-remote.js"

const adapters = new Map<number, Adapter>()

function post(news: RemoteNews): void {
  if (parentPort) parentPort.postMessage(news)
  else process.send?.(news)
}

/** What is fit to be sent. */
function healthOf(adapter: Adapter | undefined): RemoteNews["health"] {
  const { lastError: _, ...health } = adapter?.health() ?? {
    ...({ state: "down", pendingPublishes: 0, subscriptions: 0 } as const),
  }
  return health
}

async function call({ adapter: number, method, args }: RemoteCall): Promise<void> {
  if (method === "make") {
    adapters.set(number, worker(args[0] as object))
    return
  }
  const adapter = adapters.get(number)
  if (!adapter) throw new Error(`there is no adapter ${number}`)
  if (method === "connect") await connect(number, adapter, args[0] as string)
  else await (adapter[method] as (...args: readonly unknown[]) => unknown)(...args)
}

async function connect(number: number, adapter: Adapter, nodeId: string): Promise<void> {
  const tell =
    (name: "onMessage" | "onOperation" | "onState" | "onGap") =>
    (...args: readonly unknown[]) =>
      post({ remote: "event", name, args: args as never[], adapter: number, health: healthOf(adapter) })
  await adapter.connect({
    ...{ nodeId, logger: silentLogger, signal: new AbortController().signal },
    ...{ onMessage: tell("onMessage"), onOperation: tell("onOperation") },
    ...{ onState: tell("onState"), onGap: tell("onGap") },
  })
}

async function take(message: RemoteCall): Promise<void> {
  if (message?.remote !== "call") return
  const { id, adapter } = message
  try {
    await call(message)
    post({ remote: "return", id, adapter, health: healthOf(adapters.get(adapter)) })
  } catch (reason) {
    const { message: text, code } = reason as Error & { code?: unknown }
    const error = { message: text, code }
    post({ remote: "return", id, adapter, error, health: healthOf(adapters.get(adapter)) })
  }
}

// each adapter listens, and here are many
process.setMaxListeners(0)
parentPort?.setMaxListeners(0)

const listen = (message: unknown) => void take(message as RemoteCall)
if (parentPort) parentPort.on("message", listen)
else
  process.on("message", listen)
  // what was sent before there was somebody to listen is lost
;(parentPort ? parentPort.postMessage.bind(parentPort) : process.send?.bind(process))?.("ready")
