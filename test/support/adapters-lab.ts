/**
 * A lab for the adapter cases over the broker in memory, in virtual time.
 */

import { type AdapterLab, LoopbackNetwork, VirtualClock } from "holdfast/testing"
import type { Spoil } from "./spoiled-adapters.js"

/** A lab with every fault. The adapters are made worse, where that is wanted. */
export function loopbackLab(spoil: Spoil = (it) => it): AdapterLab {
  const clock = new VirtualClock()
  const network = new LoopbackNetwork({ clock })
  return {
    makeAdapter: () => spoil(network.adapter(), clock),
    faults: network,
    pass: (ms) => clock.advance(ms),
  }
}
