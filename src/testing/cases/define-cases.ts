/**
 * How a case is written down: a sentence, what it needs, and what it does with its nodes and a channel of its own.
 */

import { randomId } from "../../wire/connection-options.js"
import type { AdapterCase, AdapterFaults, AdapterLab } from "./adapter-case.js"
import { check } from "./adapter-case.js"
import { CaseNodes } from "./case-node.js"

/** What the body of a case gets. */
export interface CaseScene {
  readonly lab: AdapterLab
  readonly nodes: CaseNodes
  /** A channel that no other case uses. */
  readonly channel: string
  /** The faults that the case needs: all there. */
  readonly faults: AdapterFaults
}

type Body = (scene: CaseScene) => Promise<void>

/** A case that breaks nothing. */
export function behaviour(name: string, body: Body): AdapterCase {
  return fault(name, [], body)
}

/** A case that breaks the engine. */
export function fault(name: string, needs: readonly (keyof AdapterFaults)[], body: Body): AdapterCase {
  return {
    name,
    needs,
    async run(lab) {
      const missing = needs.filter((it) => typeof lab.faults?.[it] !== "function")
      check(missing.length === 0, `the lab lacks the faults ${missing.join(", ")}`)
      const nodes = new CaseNodes(lab)
      try {
        await body({ lab, nodes, channel: `room:${randomId()}`, faults: lab.faults as AdapterFaults })
      } finally {
        await nodes.close()
      }
    },
  }
}
