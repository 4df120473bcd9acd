/**
 * The form in front of the room, and which of the two is on the screen.
 */

import type { Controller } from "./controller.js"
import { byId, showText } from "./dom.js"
import type { FormProblem, PageModel } from "./page-model.js"
import { remember } from "./tab-memory.js"

export function addLobbyView(model: PageModel, controller: Controller): void {
  const lobby = byId("lobby", HTMLElement)
  const chat = byId("chat", HTMLElement)
  const room = byId("room", HTMLInputElement)
  const name = byId("name", HTMLInputElement)
  const text = byId("text", HTMLTextAreaElement)
  const fields = { room, name, form: room }
  const focusProblem = (problem: FormProblem | undefined) => {
    if (problem) fields[problem.field].focus()
  }
  room.value = model.room
  name.value = model.name

  byId("join", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault()
    remember("room", room.value)
    remember("name", name.value)
    controller.join(room.value, name.value)
    focusProblem(model.formProblem)
  })

  model.addView(({ client, formProblem, room: roomName }) => {
    const isInside = client !== undefined
    const wasInside = !chat.hidden
    showFormProblem(room, name, formProblem)
    document.title = isInside ? `${roomName} · holdfast chat` : "holdfast chat"
    lobby.hidden = isInside
    chat.hidden = !isInside
    if (isInside && !wasInside) text.focus()
    if (!isInside && (wasInside || document.activeElement === document.body)) {
      focusProblem(formProblem ?? { field: name.value ? "room" : "name", text: "" })
    }
  })
}

function showFormProblem(
  room: HTMLInputElement,
  name: HTMLInputElement,
  problem: FormProblem | undefined,
): void {
  const texts = {
    room: undefined,
    name: undefined,
    form: undefined,
    ...(problem && { [problem.field]: problem.text }),
  }
  showText(byId("room-problem", HTMLElement), texts.room)
  showText(byId("name-problem", HTMLElement), texts.name)
  showText(byId("join-problem", HTMLElement), texts.form)
  room.setAttribute("aria-invalid", String(texts.room !== undefined))
  name.setAttribute("aria-invalid", String(texts.name !== undefined))
}
