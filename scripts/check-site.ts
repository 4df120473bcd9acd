/** The end of `npm run docs`: fails when a link of the site in docs/site leads nowhere, or a page or its picture is missing. */

import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { brokenSiteLinks } from "./links.js"

const site = fileURLToPath(new URL("../docs/site", import.meta.url))

const broken = brokenSiteLinks(site)
for (const { page, link, problem } of broken) console.error(`docs/site/${page}: ${link}: ${problem}`)
const missing = ["index.html", "assets/search.js", "media/chat-light.png"].filter(
  (it) => !existsSync(`${site}/${it}`),
)
for (const it of missing) console.error(`docs/site has no ${it}`)
if (broken.length + missing.length > 0) process.exit(1)
