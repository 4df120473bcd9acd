/**
 * What a hub compresses once for all, read by Chromium's own `WebSocket`.
 */

import { expect, it, onTestFinished } from "vitest"
import { launchChromium } from "../../scripts/chromium.js"
import { startCompressedEcho } from "../support/compressed-echo.js"

it("S13: compressed messages are understood by Chromium", async () => {
  const echo = await startCompressedEcho()
  const browser = await launchChromium()
  onTestFinished(() => browser.close())
  const page = await browser.newPage()
  const ended = page.evaluate(
    (url) =>
      new Promise((resolve) => {
        const socket = new WebSocket(url)
        socket.binaryType = "arraybuffer"
        socket.onmessage = ({ data }) => socket.send(data)
        socket.onclose = ({ code }) => resolve({ code, extensions: socket.extensions })
      }),
    echo.url,
  )
  expect(await Promise.race([echo.converse(), ended])).toBe(true)
  expect(await ended).toEqual({
    code: 4000,
    extensions: expect.stringContaining("permessage-deflate"),
  })
})
