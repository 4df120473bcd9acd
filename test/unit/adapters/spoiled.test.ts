import { adapterCases } from "holdfast/testing"
import { describe, expect, it, vi } from "vitest"
import { loopbackLab } from "../../support/adapters-lab.js"
import { SPOILED, type Spoil } from "../../support/spoiled-adapters.js"

/** Which cases an adapter fails that breaks one rule. */
const FAILS: Readonly<Record<string, readonly string[]>> = {
  "echoes what a node publishes": ["does not deliver a node's own payloads to it"],
  "delivers twice": [
    "delivers a text verbatim",
    "delivers empty payloads, each as what it was",
    "delivers to every node that is subscribed",
    "does not deliver a node's own payloads to it",
    "delivers once, however often the channel was asked for",
    "delivers once, and never later again",
    "keeps channels apart",
    "keeps the order of one publisher that does not wait",
    "keeps the order of large and small, text and bytes",
    "keeps the order of each of two publishers",
    "delivers the whole of a burst",
    "refuses a payload above its limit with a coded error",
    "confirms each of several askers only once payloads will arrive",
    "delivers nothing after unsubscribing",
    "hears again after unsubscribing and subscribing",
    "ends up subscribed after unsubscribe and subscribe in one turn",
    "takes any name for a channel",
    "takes a name of 1,024 bytes",
    "takes no name for another",
    "keeps operations and payloads apart",
    "delivers what was published before close",
    "connects again after close",
    "lets other nodes close without harm",
    "counts exactly what a killed engine lost",
    "counts what was lost at the end of a stream",
    "delivers once after three restarts",
    "delivers nothing late after its engine hung, and counts it",
    "counts exactly what a cut connection lost",
    "loses nothing and doubles nothing on a slow way",
  ],
  "loses order": [
    "keeps the order of one publisher that does not wait",
    "keeps the order of large and small, text and bytes",
  ],
  "loses the order of operations": ["keeps the order of operations for one node"],
  "confirms a subscription too early": [
    "reports no gap where there is none",
    "confirms a subscription only once payloads will arrive",
    "confirms each of several askers only once payloads will arrive",
    "delivers nothing after unsubscribing",
    "hears again after unsubscribing and subscribing",
    "ends up subscribed after unsubscribe and subscribe in one turn",
    "connects again after close",
    "forgets its subscriptions on close",
  ],
  "loses a payload now and then": [
    "keeps the order of one publisher that does not wait",
    "keeps the order of each of two publishers",
    "delivers the whole of a burst",
    "reports no gap where there is none",
    "confirms a subscription only once payloads will arrive",
    "takes any name for a channel",
    "delivers what was published before close",
    "counts exactly what a killed engine lost",
    "counts exactly what a cut connection lost",
    "loses nothing and doubles nothing on a slow way",
  ],
  "turns bytes into text": [
    "delivers bytes verbatim, and as bytes",
    "delivers empty payloads, each as what it was",
    "delivers a large payload whole",
    "keeps the order of large and small, text and bytes",
  ],
  "cuts large payloads": [
    "delivers a large payload whole",
    "keeps the order of large and small, text and bytes",
  ],
  "drops empty payloads": ["delivers empty payloads, each as what it was"],
  "forgets who is left out": ["carries who is left out"],
  "names no sender": [
    "names the channel and the node a payload comes from",
    "names the node an operation comes from",
  ],
  "trims the names of channels": ["takes any name for a channel", "takes no name for another"],
  "cuts long names of channels": ["takes a name of 1,024 bytes"],
  "keeps what was unsubscribed": [
    "delivers nothing after unsubscribing",
    "ends up unsubscribed after subscribe and unsubscribe in one turn",
    "counts its subscriptions",
    "carries out after an outage what was asked for in it",
  ],
  "sends an operation to everybody": ["brings an operation to one node alone"],
  "echoes operations": ["brings an operation for all to all but its sender"],
  "drops the bytes of operations": ["carries the bytes of an operation verbatim"],
  "never tells its state": [
    "says that it is up once it is connected",
    "says that it is down once it is closed",
    "delivers again after its engine was restarted, and says so",
    "closes in the middle of a connect that is not answered",
  ],
  "is always well": [
    "says that it is down once it is closed",
    "settles publications within a second while its engine is dead",
    "says that it is not up while its engine is dead",
    "delivers again after its engine was restarted, and says so",
    "reports a gap after its engine was restarted",
    "counts what was lost at the end of a stream",
    "delivers nothing late after a restart",
    "carries out after an outage what was asked for in it",
    "subscribes again to a thousand channels after a restart",
    "closes while its engine is dead",
    "connects as soon as its engine is there",
    "settles publications within a second while its engine hangs",
    "notices a connection that swallows everything",
    "closes while its engine hangs, and settles what it was asked for",
    "closes in the middle of a connect that is not answered",
  ],
  "keeps gaps to itself": [
    "reports a gap after its engine was restarted",
    "counts exactly what a killed engine lost",
    "counts what was lost at the end of a stream",
    "delivers nothing late after its engine hung, and counts it",
    "counts exactly what a cut connection lost",
  ],
  "reports gaps without a count": [
    "counts exactly what a killed engine lost",
    "counts what was lost at the end of a stream",
    "delivers nothing late after its engine hung, and counts it",
    "counts exactly what a cut connection lost",
  ],
  "reports gaps that are none": ["reports no gap where there is none"],
  "takes a publication after close": ["rejects a publication after close with a coded error"],
  "publishes again until it succeeds": [
    "settles publications within a second while its engine is dead",
    "counts exactly what a killed engine lost",
    "counts what was lost at the end of a stream",
    "settles publications within a second while its engine hangs",
    "delivers nothing late after its engine hung, and counts it",
  ],
  "throws errors without a code": [
    "refuses a payload above its limit with a coded error",
    "rejects a publication after close with a coded error",
    "settles publications within a second while its engine is dead",
    "settles publications within a second while its engine hangs",
  ],
  "does not subscribe again after an outage": [
    "delivers again after its engine was restarted, and says so",
    "counts exactly what a killed engine lost",
    "counts what was lost at the end of a stream",
    "delivers nothing late after a restart",
    "carries out after an outage what was asked for in it",
    "subscribes again to a thousand channels after a restart",
    "delivers once after three restarts",
    "counts exactly what a cut connection lost",
    "notices a connection that swallows everything",
  ],
  "delivers after close": [
    "says that it is down once it is closed",
    "delivers nothing after close",
    "rejects a publication after close with a coded error",
    "closes while its engine hangs, and settles what it was asked for",
    "closes in the middle of a connect that is not answered",
  ],
  "cannot be used again": [
    "connects again after close",
    "forgets its subscriptions on close",
    "closes in the middle of a connect that is not answered",
  ],
}

/** The cases that an adapter fails. */
async function failures(spoil: Spoil): Promise<string[]> {
  const failed: string[] = []
  for (const { name, run } of adapterCases) await run(loopbackLab(spoil)).catch(() => failed.push(name))
  return failed
}

describe("an adapter that breaks a rule fails exactly the cases about it, one that", () => {
  it.each(Object.entries(SPOILED))("%s", async (rule, spoil) => {
    // the same delays between two links each time
    vi.spyOn(Math, "random").mockReturnValue(0.5)
    expect(FAILS[rule]).not.toEqual([])
    expect(await failures(spoil)).toEqual(FAILS[rule])
  })
})
