/**
 * `npm run demo:client`: reads the command line and the keyboard, and hands what is typed to the terminal chat.
 * What comes back is printed there.
 */

import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import { nameProblem, roomProblem, tidy } from "./rules.js"
import { TerminalChat } from "./terminal-chat.js"

const USAGE = "Usage: npm run demo:client -- --room <room> --name <name> [--url ws://localhost:8080]"

interface Arguments {
  readonly room: string
  readonly name: string
  readonly url: string
}

/** @throws Error whose message says what is wrong. */
function readArguments(): Arguments {
  const { values } = parseArgs({
    options: { room: { type: "string" }, name: { type: "string" }, url: { type: "string" } },
  })
  const { room = "", name = "", url = "ws://localhost:8080" } = values
  const problem = roomProblem(room) ?? nameProblem(name)
  if (problem) throw new Error(problem)
  const { protocol, origin, host } = new URL(url)
  if (protocol !== "ws:" && protocol !== "wss:") throw new Error("the url begins with ws:// or wss://")
  return { room: tidy(room), name: tidy(name), url: origin === "null" ? `${protocol}//${host}` : origin }
}

async function main({ room, name, url }: Arguments): Promise<void> {
  const { stdin: input, stdout: output } = process
  const keyboard = createInterface({ input, output, prompt: "> ", terminal: output.isTTY })
  const chat = new TerminalChat({ room, name, url }, (line) => {
    // the prompt, and what stands in it, go below the new line
    if (output.isTTY) output.write("\r\u001b[K")
    output.write(`${line}\n`)
    if (output.isTTY) keyboard.prompt(true)
  })
  keyboard.on("line", (line) => {
    chat.typed(line)
    if (output.isTTY) keyboard.prompt()
  })
  // Ctrl-C leaves at once; the end of a piped input waits for what is still on its way
  keyboard.on("SIGINT", () => chat.quit())
  process.once("SIGINT", () => chat.quit())
  process.once("SIGTERM", () => chat.quit())
  keyboard.on("close", () => chat.quitWhenDelivered())
  const isFine = await chat.ended
  keyboard.close()
  if (output.isTTY) output.write("\r\u001b[K")
  process.exit(isFine ? 0 : 1)
}

try {
  await main(readArguments())
} catch (error) {
  const { message } = error as Error
  console.error(`${USAGE} (${message.split(". ", 1)[0]})`)
  process.exitCode = 2
}
