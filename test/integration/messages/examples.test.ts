import { describe, expect, it } from "vitest"
import { startProgram } from "../../support/demo-process.js"

describe("the examples of messages", () => {
  it.each([
    [
      "T4",
      "typed.ts",
      ["joined lobby, members: 1", "said: hello", "refused: INVALID_MESSAGE", "refused: UNKNOWN_TYPE"],
    ],
    ["T3", "binary.ts", ["total: 4006", "error: PACKET_TYPE_UNKNOWN", "type 3: 42"]],
    [
      "T5 T6",
      "requests.ts",
      [
        "price: 3",
        "Ada is asked: buy apples?",
        "Ada: bought",
        "Bob is asked: buy apples?",
        "Bob: left",
        "NOT_FOUND: there are no pears",
        "REQUEST_TIMEOUT: no answer within 50 ms",
        "votes: yes, no missing: 0",
      ],
    ],
    [
      "T7",
      "batching.ts",
      ["1000 moves came in 10 frames", "50 wait for others, 1499 bytes", "250 moves arrived, in order"],
    ],
    [
      "S13 T8",
      "compression.ts",
      [
        "a report is 20576 bytes of JSON",
        "10 readers got 400 rows each",
        "compressed 1 time, into 2 frames: one for the nine, one for the tenth",
        expect.stringMatching(/^on the wire \d{4} bytes instead of 20580: \d %$/),
      ],
    ],
  ])("%s: %s says what it should, and ends", async (_, file, lines) => {
    const { code, stdout, stderr } = await startProgram(`messages/${file}`).exited()
    expect({ code, stderr, lines: stdout.trimEnd().split("\n") }).toEqual({ code: 0, stderr: "", lines })
  })
})
