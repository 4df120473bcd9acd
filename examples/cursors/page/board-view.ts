/**
 * The pointers of the others on the board, and the list of who is there. It knows looks and elements.
 */

import { byId, setText } from "../../pages/line.js"
import type { Look } from "../protocol.js"

const SVG = "http://www.w3.org/2000/svg"
const ARROW = "M2 2 L20 10 L11.5 12 L7.5 20 Z"
const WAVE_MS = 1_500

const board = byId("board", HTMLElement)
const list = byId("people", HTMLElement)
const cursors = new Map<string, HTMLElement>()
const entries = new Map<string, HTMLElement>()

/** Shows everybody. */
export function showPeople(looks: ReadonlyMap<string, Look>, you: string | undefined): void {
  for (const shown of [cursors, entries]) {
    for (const [key, element] of shown) {
      if (looks.has(key)) continue
      element.remove()
      shown.delete(key)
    }
  }
  for (const [key, look] of looks) {
    showEntry(key, look, key === you)
    if (look.at) showCursor(key, look)
  }
}

/** Lets a pointer wave for a moment. */
export function wave(key: string): void {
  const cursor = cursors.get(key)
  cursor?.classList.add("waves")
  setTimeout(() => cursor?.classList.remove("waves"), WAVE_MS)
}

function showCursor(key: string, { name, hue, at }: Look): void {
  let cursor = cursors.get(key)
  if (!cursor) {
    cursor = document.createElement("div")
    cursor.className = "cursor"
    cursor.append(arrow(), document.createElement("span"))
    cursors.set(key, cursor)
    board.append(cursor)
  }
  cursor.style.setProperty("--hue", String(hue))
  cursor.style.setProperty("--x", String(at?.x))
  cursor.style.setProperty("--y", String(at?.y))
  setText(cursor.lastElementChild as Element, name)
}

function showEntry(key: string, { name, hue }: Look, isYou: boolean): void {
  let entry = entries.get(key)
  if (!entry) {
    entry = document.createElement("li")
    const dot = document.createElement("span")
    dot.className = "dot"
    const you = document.createElement("span")
    you.className = "you"
    entry.append(dot, document.createElement("span"), you)
    entries.set(key, entry)
    list.append(entry)
  }
  const [dot, words, you] = entry.children as unknown as [HTMLElement, HTMLElement, HTMLElement]
  dot.style.setProperty("--hue", String(hue))
  setText(words, name)
  setText(you, isYou ? "you" : "")
}

function arrow(): SVGElement {
  const svg = document.createElementNS(SVG, "svg")
  for (const [name, value] of Object.entries({
    width: 22,
    height: 22,
    viewBox: "0 0 22 22",
    "aria-hidden": true,
  })) {
    svg.setAttribute(name, String(value))
  }
  const path = document.createElementNS(SVG, "path")
  path.setAttribute("d", ARROW)
  svg.append(path)
  return svg
}
