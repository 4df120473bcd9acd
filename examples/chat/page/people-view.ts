/**
 * Who is in the room. Each of the others is a button that begins a private conversation.
 */

import type { Member } from "../protocol.js"
import { countOf } from "../wording.js"
import type { Controller } from "./controller.js"
import { byId, make, setChildren, setText } from "./dom.js"
import type { PageModel } from "./page-model.js"
import { portrait } from "./portrait.js"

export function addPeopleView(model: PageModel, controller: Controller): void {
  const list = byId("people", HTMLUListElement)
  const note = byId("people-note", HTMLElement)
  const moreCount = byId("more-count", HTMLElement)
  const text = byId("text", HTMLTextAreaElement)
  const items = new Map<string, HTMLLIElement>()

  const itemOf = (member: Member, isYou: boolean): HTMLLIElement => {
    const key = `${member.id} ${member.name} ${isYou}`
    const known = items.get(key)
    if (known) return known
    const item = make("li", "", isYou ? yourself(member) : button(member))
    items.set(key, item)
    return item
  }

  const button = (member: Member): HTMLButtonElement => {
    const element = make("button", "person", portrait(member), make("span", "", member.name))
    element.type = "button"
    element.title = `Write to ${member.name} alone`
    element.addEventListener("click", () => {
      controller.talkTo(model.target?.id === member.id ? undefined : member)
      text.focus()
    })
    return element
  }

  model.addView(({ client, target }) => {
    if (!client) return items.clear()
    const { members, you, isJoined } = client
    setChildren(
      list,
      members.map((member) => itemOf(member, member.id === you?.id)),
    )
    for (const member of members) {
      const pressed = itemOf(member, member.id === you?.id).querySelector("button")
      pressed?.setAttribute("aria-pressed", String(member.id === target?.id))
    }
    list.classList.toggle("stale", !isJoined)
    setText(note, noteOf(isJoined, members.length))
    setText(moreCount, isJoined ? countOf(members.length, "person", "people") : "People")
  })
}

function yourself(member: Member): HTMLElement {
  return make("span", "person", portrait(member), make("span", "", member.name), make("span", "you", "you"))
}

function noteOf(isJoined: boolean, count: number): string {
  if (!isJoined) return count > 0 ? "Who is here is unknown until the connection is back." : ""
  return count > 1
    ? "Choose somebody to write to them alone."
    : "Nobody else is here. Open this page in a second window."
}
