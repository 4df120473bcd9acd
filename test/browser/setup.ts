import { ensureChromium } from "../../scripts/chromium.js"

/** Finds or installs the browser before the first browser test, so that no test's time limit pays for it. */
export default function setup(): void {
  ensureChromium()
}
