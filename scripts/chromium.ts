/**
 * The Chromium that the browser tests drive: the one of this machine, or Debian's own package, installed when
 * it is missing. Knows nothing of the tests, and downloads no browser build from anywhere else.
 */

import { type Browser, chromium } from "playwright-core"
import { canInstall, findProgram, installPackages, isExecutable } from "./debian-packages.js"

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]

const APPLICATIONS = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
]

const PACKAGES = ["chromium", "fonts-dejavu-core", "fonts-liberation"]

/** What every Chromium here is started with. */
export const CHROMIUM_FLAGS: readonly string[] = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
]

/** Starts a headless Chromium. The caller closes it, or takes it with `await using`. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: ensureChromium(), args: [...CHROMIUM_FLAGS] })
}

/**
 * The path of a Chromium: `CHROMIUM_PATH` where it is set, else the first one on the `PATH`, else Debian's,
 * installed now if this is Debian and the user is root.
 *
 * @throws Error with one sentence that says how to get a browser, where there is none.
 */
export function ensureChromium(): string {
  const chosen = process.env.CHROMIUM_PATH
  if (chosen) {
    if (isExecutable(chosen)) return chosen
    throw new Error(`CHROMIUM_PATH is "${chosen}", and there is no executable file at that path.`)
  }
  const path = findChromium() ?? (canInstall() ? installChromium() : undefined)
  if (path) return path
  throw new Error(
    "The browser tests need Chromium, and none was found: install it (on Debian, `apt-get install chromium`) or set CHROMIUM_PATH to its executable.",
  )
}

function findChromium(): string | undefined {
  return findProgram(NAMES) ?? APPLICATIONS.find(isExecutable)
}

function installChromium(): string | undefined {
  installPackages("Chromium", PACKAGES)
  return findChromium()
}
