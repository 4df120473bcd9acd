/**
 * What every server of the bench does besides serving: it takes commands from the process that started it, counts its
 * own CPU time, and ends when that process is gone. How it serves is the business of the file that calls `serve`.
 */

import type { Server } from "node:http"
import type { AddressInfo } from "node:net"
import { message, SERVER } from "../message.js"

/** What the process that measures says to a server. */
export type Command =
  /** Publish so many messages to everybody, in one go. */
  | { readonly do: "publish"; readonly count: number }
  /** Report the CPU time used so far. */
  | { readonly do: "report" }

/** What a server says to the process that measures. */
export type Report =
  /** It can be connected to. */
  | { readonly port: number }
  /** CPU time of the whole process since it started, user and system, in microseconds. */
  | { readonly cpuMicros: number }

/** A server that has been started. */
export interface BenchServer {
  /** The port it listens on. */
  readonly port: number
  /** Sends a text message to every connection. Messages that connections send go the same way. */
  publish(text: string): void
}

/** Starts a server and puts it at the command of the process that started this one. */
export async function serve(start: () => Promise<BenchServer>): Promise<void> {
  let serial = 0
  const server = await start()
  process.on("message", (command: Command) => {
    if (command.do === "report") return report({ cpuMicros: cpuMicros() })
    for (const last = serial + command.count; serial < last; serial += 1) {
      server.publish(message(SERVER, serial))
    }
  })
  process.on("disconnect", () => process.exit())
  report({ port: server.port })
}

/** Listens on a free port of the loopback interface and returns it. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", 4_096, resolve)
  })
  return (server.address() as AddressInfo).port
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

function report(what: Report): void {
  process.send?.(what)
}
