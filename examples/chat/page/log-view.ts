/**
 * The conversation: what was said, what happened, and, at the end, what this person wrote and nobody has confirmed.
 */

import type { ChatClient } from "../chat-client.js"
import { outgoingLine } from "./controller.js"
import { byId, make, setChildren, setText } from "./dom.js"
import type { LogLine, MessageLine, PageModel } from "./page-model.js"
import { portrait } from "./portrait.js"

/** How far from its end the log counts as being at its end, in pixels. */
const NEAR_END_PX = 80
/** Messages of one person within this time stand together, in milliseconds. */
const TOGETHER_MS = 120_000

type Status = "waiting" | "sent" | "delivered" | "failed"

interface Shown {
  readonly line: LogLine
  readonly status: Status
}

export function addLogView(model: PageModel): void {
  const log = byId("log", HTMLElement)
  const elements = new Map<string, HTMLElement>()
  let isAtEnd = true

  const toEnd = () => {
    log.scrollTop = log.scrollHeight
  }
  log.addEventListener("scroll", () => {
    isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX
  })
  // a keyboard that opens, or a line above the text field, takes its room from the log
  new ResizeObserver(() => isAtEnd && toEnd()).observe(log)

  const elementOf = (line: LogLine): HTMLElement => {
    const known = elements.get(line.key)
    if (known) return known
    const element = line.kind === "notice" ? make("p", "notice", line.text) : messageElement(line)
    elements.set(line.key, element)
    return element
  }

  model.addView(({ client, lines, name }) => {
    if (!client) {
      elements.clear()
      return log.replaceChildren()
    }
    const shown = allOf(client, lines, name)
    for (const [index, { line, status }] of shown.entries()) {
      const element = elementOf(line)
      if (line.kind === "message") update(element, line, status, shown[index - 1]?.line)
    }
    setChildren(
      log,
      shown.map(({ line }) => elementOf(line)),
    )
    forget(elements, shown)
    if (isAtEnd) toEnd()
  })
}

/** What is settled, and after it what is not. */
function allOf(client: ChatClient, lines: readonly LogLine[], name: string): readonly Shown[] {
  const settled = lines.map((line): Shown => {
    const isFailed = line.kind === "message" && line.problem !== undefined
    return { line, status: isFailed ? "failed" : "delivered" }
  })
  const unconfirmed = client.unconfirmed.map((it): Shown => {
    return { line: outgoingLine(client, name, it), status: client.isWaiting(it) ? "waiting" : "sent" }
  })
  return [...settled, ...unconfirmed]
}

function messageElement({ from, to, text, isMine }: MessageLine): HTMLElement {
  const author = make("p", isMine && !to ? "author unseen" : "author", isMine ? "You" : from.name)
  if (to) author.append(make("span", "to", isMine ? ` to ${to.name} alone` : " to you alone"))
  const body = make("p", "text", text)
  body.dir = "auto"
  const bubble = make("div", "bubble", body, make("p", "meta", make("time", ""), make("span", "status")))
  const element = make("article", "message", ...(isMine ? [] : [portrait(from)]), author, bubble)
  element.classList.toggle("mine", isMine)
  element.classList.toggle("whisper", to !== undefined)
  return element
}

function update(element: HTMLElement, line: MessageLine, status: Status, before: LogLine | undefined): void {
  const time = element.querySelector("time")
  if (time) {
    const at = new Date(line.at)
    time.dateTime = at.toISOString()
    setText(time, at.toTimeString().slice(0, 5))
  }
  element.classList.toggle("follows", before?.kind === "message" && isTogether(before, line))
  if (!line.isMine) return
  element.dataset.status = status
  const shown = element.querySelector(".status")
  if (shown) setText(shown, status === "failed" ? `not delivered: ${line.problem}` : status)
}

function isTogether(before: MessageLine, line: MessageLine): boolean {
  return (
    before.isMine === line.isMine &&
    before.from.name === line.from.name &&
    before.to?.id === line.to?.id &&
    line.at - before.at < TOGETHER_MS
  )
}

function forget(elements: Map<string, HTMLElement>, shown: readonly Shown[]): void {
  const keys = new Set(shown.map(({ line }) => line.key))
  for (const key of elements.keys()) if (!keys.has(key)) elements.delete(key)
}
