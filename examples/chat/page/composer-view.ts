/**
 * Where messages are written: to everybody or to one, with what still waits above it.
 */

import { countOf } from "../wording.js"
import type { Controller } from "./controller.js"
import { byId, setText, showText } from "./dom.js"
import type { PageModel } from "./page-model.js"

export function addComposerView(model: PageModel, controller: Controller): void {
  const form = byId("composer", HTMLFormElement)
  const text = byId("text", HTMLTextAreaElement)
  const send = byId("send", HTMLButtonElement)
  const privately = byId("private", HTMLElement)

  form.addEventListener("submit", (event) => {
    event.preventDefault()
    if (text.value.trim() !== "" && controller.say(text.value)) text.value = ""
    text.focus()
  })
  text.addEventListener("keydown", (event) => {
    // Enter may also choose a word of an input method
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
    event.preventDefault()
    form.requestSubmit()
  })
  form.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && model.target) controller.talkTo(undefined)
  })
  byId("private-end", HTMLButtonElement).addEventListener("click", () => {
    controller.talkTo(undefined)
    text.focus()
  })

  model.addView(({ client, target, isTargetHere, textProblem }) => {
    if (!client) return
    const { line, isJoined } = client
    const isOver = line.state === "closed"
    form.classList.toggle("privately", target !== undefined)
    privately.hidden = !target
    if (target) setText(byId("private-to", HTMLElement), privateNote(target.name, isTargetHere || !isJoined))
    setText(
      byId("text-label", HTMLElement),
      target ? `Message to ${target.name} alone` : "Message to everybody",
    )
    text.placeholder = target ? `To ${target.name} alone` : "Write to everybody"
    text.disabled = isOver
    send.disabled = isOver
    showText(byId("waiting", HTMLElement), waitingNote(line.queued, isOver))
    showText(byId("text-problem", HTMLElement), textProblem)
  })
}

/** The partner's leaving does not end the private mode: what was meant for one must not go to all. */
function privateNote(name: string, isHere: boolean): string {
  return isHere ? `Only ${name} will read this.` : `${name} has left.`
}

function waitingNote(queued: number, isOver: boolean): string | undefined {
  if (queued === 0) return undefined
  if (isOver) return `${countOf(queued, "message was", "messages were")} not sent`
  return `${countOf(queued, "message waits", "messages wait")} for the connection`
}
