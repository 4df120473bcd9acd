/**
 * The round sign of a person: the first letter on a colour that the name decides.
 */

import type { Member } from "../protocol.js"
import { make } from "./dom.js"

export function portrait({ name }: Member): HTMLElement {
  const [initial = "?"] = name
  const element = make("span", "portrait", initial.toUpperCase())
  element.setAttribute("aria-hidden", "true")
  element.style.setProperty("--hue", String(hueOf(name)))
  return element
}

function hueOf(name: string): number {
  let hash = 7
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 360
  return hash
}
