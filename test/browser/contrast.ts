/**
 * Finds text that is hard to read, by the contrast rule of WCAG 2.2 (1.4.3). Runs inside the page, and knows of it
 * only what the browser computes.
 */

/** Visible texts below 4.5 : 1, or 3 : 1 where they are large. Goes to the browser as text: complete in itself. */
export function faintTexts(): string[] {
  type Colour = readonly [red: number, green: number, blue: number, alpha: number]
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })

  // the browser knows every notation of colours; a canvas tells what it makes of one
  function colourOf(css: string): Colour {
    if (!canvas) throw new Error("no canvas")
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = css
    canvas.fillRect(0, 0, 1, 1)
    const [red = 0, green = 0, blue = 0, alpha = 0] = canvas.getImageData(0, 0, 1, 1).data
    return [red, green, blue, alpha / 255]
  }

  function backgroundOf(element: Element): Colour {
    for (let it: Element | null = element; it; it = it.parentElement) {
      const colour = colourOf(getComputedStyle(it).backgroundColor)
      if (colour[3] === 1) return colour
    }
    return [255, 255, 255, 1]
  }

  function luminance(colour: Colour): number {
    const [red = 0, green = 0, blue = 0] = colour.slice(0, 3).map((it) => {
      const part = it / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }

  function contrast(element: Element, css: string): number {
    const [dark = 0, light = 0] = [luminance(colourOf(css)), luminance(backgroundOf(element))].sort(
      (a, b) => a - b,
    )
    return (light + 0.05) / (dark + 0.05)
  }

  const faint: string[] = []
  for (const element of Array.from(document.body.querySelectorAll("*"))) {
    const ownText = Array.from(element.childNodes).some((it) => it.nodeType === 3 && it.textContent?.trim())
    const isField = element instanceof HTMLTextAreaElement || element instanceof HTMLInputElement
    if (!(ownText || isField) || !element.checkVisibility({ visibilityProperty: true })) continue
    const style = getComputedStyle(element)
    const colours = isField ? [style.color, getComputedStyle(element, "::placeholder").color] : [style.color]
    const isLarge = Number.parseFloat(style.fontSize) >= 24
    for (const colour of colours) {
      const ratio = contrast(element, colour)
      if (ratio < (isLarge ? 3 : 4.5)) faint.push(`${element.textContent?.trim()}: ${ratio.toFixed(2)}`)
    }
  }
  return faint
}
