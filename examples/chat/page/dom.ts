/**
 * The few things the page does with elements: finding one, making one, and changing one only where it differs.
 */

/** The element of this id. The markup is ours, so a missing one is a mistake in it. */
export function byId<E extends Element>(id: string, type: new () => E): E {
  const found = document.getElementById(id)
  if (found instanceof type) return found
  throw new Error(`the page has no ${type.name} with the id ${id}`)
}

/** A new element with its children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  if (className) element.className = className
  element.append(...children)
  return element
}

/** Sets the text. The same text is left alone, so that nothing is read out twice. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

/** Shows a text, or hides its element when there is none. */
export function showText(element: HTMLElement, text: string | undefined): void {
  setText(element, text ?? "")
  element.hidden = text === undefined
}

/** Makes `parent` hold exactly these children in this order, moving only what is out of place. */
export function setChildren(parent: Element, children: readonly Element[]): void {
  for (const stale of Array.from(parent.children)) if (!children.includes(stale)) stale.remove()
  for (const [index, child] of children.entries()) {
    const present = parent.children[index]
    if (present !== child) parent.insertBefore(child, present ?? null)
  }
}
