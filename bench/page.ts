/**
 * Sections of a documentation page that a program writes: what stands between `<!-- begin: name -->` and
 * `<!-- end: name -->`. It knows nothing of what they hold.
 */

/**
 * The page with another content in one of its sections.
 * @throws Error when the page has no such section.
 */
export function withSection(page: string, name: string, content: string): string {
  const { start, end } = find(page, name)
  return `${page.slice(0, start)}\n${content.trim()}\n\n${page.slice(end)}`
}

/**
 * What a section of a page holds.
 * @throws Error when the page has no such section.
 */
export function section(page: string, name: string): string {
  const { start, end } = find(page, name)
  return page.slice(start, end).trim()
}

function find(page: string, name: string): { start: number; end: number } {
  const begin = `<!-- begin: ${name} -->\n`
  const start = page.indexOf(begin) + begin.length
  const end = page.indexOf(`<!-- end: ${name} -->`)
  if (start < begin.length || end < start) throw new Error(`the page has no section "${name}"`)
  return { start, end }
}
