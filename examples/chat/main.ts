/**
 * `npm run demo`: starts the chat on `PORT` and stops it on Ctrl-C. What the chat does is told by its own files.
 */

import { type ChatServer, startChat } from "./chat-server.js"
import { terminalLog } from "./log.js"

const { PORT = "8080", HOST = "127.0.0.1" } = process.env

async function main(): Promise<void> {
  const port = Number(PORT)
  if (PORT.trim() === "" || !Number.isInteger(port) || port < 0 || port > 65_535) {
    return fail(`PORT is "${PORT}", and a port is a whole number from 0 to 65535.`)
  }
  try {
    const chat = await startChat({ port, host: HOST })
    terminalLog(`the chat is at ${chat.url}; Ctrl-C stops it`)
    stopOnSignals(chat)
  } catch (error) {
    fail(explain(error, port))
  }
}

function explain(error: unknown, port: number): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === "EADDRINUSE")
    return `Port ${port} is taken: stop what listens there, or choose another with PORT=8081.`
  if (code === "EACCES")
    return `Port ${port} needs more rights than this user has: choose another with PORT=8081.`
  return `The chat could not start: ${message}`
}

function fail(sentence: string): void {
  console.error(sentence)
  process.exitCode = 1
}

/** The first signal stops in good order; the second one is obeyed at once. */
function stopOnSignals(chat: ChatServer): void {
  const stop = async (signal: NodeJS.Signals) => {
    terminalLog(`${signal}: stopping`)
    await chat.stop()
    process.exit(0)
  }
  process.once("SIGINT", stop)
  process.once("SIGTERM", stop)
}

await main()
