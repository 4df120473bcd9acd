/**
 * The board's page. A move is worth sending now or never; a name is worth waiting for the line, and only the last one.
 */

import { createRouter, ReconnectingClient } from "holdfast"
import { byId, setText, showLine } from "../../pages/line.js"
import type { FromClient, FromServer } from "../protocol.js"
import { showPeople, wave } from "./board-view.js"
import { People } from "./people.js"

/** How often a move is sent at most, in milliseconds. */
const MOVE_MS = 40
/** How far an arrow key goes, as a part of the board. */
const STEP = 0.02

const query = new URLSearchParams(location.search)
const boardName = query.get("board") ?? "lobby"
const board = byId("board", HTMLElement)
const name = byId("name", HTMLInputElement)
const news = byId("news", HTMLElement)
setText(byId("board-name", HTMLElement), `Board: ${boardName}`)
name.value = query.get("name") ?? ""

const people = new People()
let you: string | undefined
let at = { x: 0.5, y: 0.5 }

const address = `${location.origin.replace("http", "ws")}/ws/${encodeURIComponent(boardName)}`
const client = new ReconnectingClient<FromServer, FromClient>(address, {
  backoff: { initialMs: 1_000, maxMs: 5_000 },
  onOpen: ({ sendNow }) => {
    if (name.value) sendNow({ type: "name", name: name.value })
  },
})
showLine(client)
client.on("error", () => {})
client.on("state", ({ to }) => {
  if (to !== "waiting") return
  people.forget()
  showPeople(people.looks, you)
})

createRouter<FromServer, typeof client>()
  .on("you", ({ message }) => {
    you = message.key
  })
  .on("present", ({ message }) => {
    people.begin(message)
    showPeople(people.looks, you)
  })
  .on("presence", ({ message, peer }) => {
    const gone = message.left.map(({ key }) => people.looks.get(key)?.name)
    if (!people.change(message)) {
      peer.send({ type: "sync" }, { key: "sync" })
      return
    }
    showPeople(people.looks, you)
    const came = message.joined.filter(({ key }) => key !== you).map(({ meta }) => `${meta.name} came`)
    const lines = [...came, ...gone.filter(Boolean).map((it) => `${it} left`)]
    if (lines.length > 0) setText(news, lines.join("\n"))
  })
  .on("waved", ({ message }) => {
    wave(message.key)
    setText(news, `${people.looks.get(message.key)?.name} waves`)
  })
  .on("error", ({ message }) => setText(news, message.message))
  .mount(client)

let timer: ReturnType<typeof setTimeout> | undefined

/** Sends where you point, not more often than others can see. */
function point(x: number, y: number): void {
  at = { x: Math.min(1, Math.max(0, x)), y: Math.min(1, Math.max(0, y)) }
  if (timer !== undefined) return
  timer = setTimeout(() => {
    timer = undefined
    client.send({ type: "move", ...at }, { volatile: true })
  }, MOVE_MS)
}

board.addEventListener("pointermove", ({ clientX, clientY }) => {
  const { left, top, width, height } = board.getBoundingClientRect()
  point((clientX - left) / width, (clientY - top) / height)
})
board.addEventListener("click", () => client.send({ type: "wave" }, { volatile: true }))

const KEYS: Readonly<Record<string, () => void>> = {
  ArrowLeft: () => point(at.x - STEP, at.y),
  ArrowRight: () => point(at.x + STEP, at.y),
  ArrowUp: () => point(at.x, at.y - STEP),
  ArrowDown: () => point(at.x, at.y + STEP),
  " ": () => client.send({ type: "wave" }, { volatile: true }),
}
board.addEventListener("keydown", (event) => {
  const act = KEYS[event.key]
  if (!act) return
  event.preventDefault()
  act()
})

const rename = () => {
  if (name.value.trim()) client.send({ type: "name", name: name.value }, { key: "name" })
}
name.addEventListener("change", rename)
byId("rename", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault()
  rename()
})
