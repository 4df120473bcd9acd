/**
 * The tools beside the conversation: what breaks things, how to take part without this page, and the way out.
 * On a narrow screen they are a panel that opens and closes.
 */

import type { Controller } from "./controller.js"
import { byId, setText, showText } from "./dom.js"
import type { PageModel } from "./page-model.js"

export function addSideView(model: PageModel, controller: Controller): void {
  const side = byId("side", HTMLElement)
  const more = byId("more", HTMLButtonElement)
  const cut = byId("cut", HTMLButtonElement)
  const restart = byId("restart", HTMLButtonElement)

  more.addEventListener("click", () => controller.openSide(!model.isSideOpen))
  cut.addEventListener("click", () => void controller.cutMyLine())
  restart.addEventListener("click", () => void controller.restartTheServer())
  byId("leave", HTMLButtonElement).addEventListener("click", () => controller.leave())
  addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !model.isSideOpen) return
    controller.openSide(false)
    more.focus()
  })

  model.addView(({ client, room, isSideOpen, breakProblem }) => {
    side.classList.toggle("open", isSideOpen)
    more.setAttribute("aria-expanded", String(isSideOpen))
    cut.disabled = !client?.isJoined
    restart.disabled = !client?.isJoined
    showText(byId("break-problem", HTMLElement), breakProblem)
    setText(byId("wire-example", HTMLElement), wireExample(room))
    setText(byId("terminal-example", HTMLElement), terminalExample(room))
  })
}

function wireExample(room: string): string {
  const url = `${location.origin.replace(/^http/, "ws")}/ws/${encodeURIComponent(room)}`
  return `$ npx wscat -c ${url}
> {"type":"join","name":"grace"}
< {"type":"welcome","you":{"id":"…","name":"grace"}, …}
> {"type":"say","id":"1","text":"hello"}
< {"type":"said","id":"1","from":{…},"text":"hello", …}
> {"type":"whisper","id":"2","to":"<member id>","text":"hi"}
> ping
< pong`
}

function terminalExample(room: string): string {
  const url = location.origin.replace(/^http/, "ws")
  return `$ npm run demo:client -- --room ${/\s/.test(room) ? `"${room}"` : room} --name grace --url ${url}`
}
