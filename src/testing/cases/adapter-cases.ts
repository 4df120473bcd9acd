/**
 * The adapter contract as a list of cases, for any runner.
 */

import type { AdapterCase } from "./adapter-case.js"
import { closingCases } from "./closing-cases.js"
import { deliveryCases } from "./delivery-cases.js"
import { faultCases } from "./fault-cases.js"
import { lifeCases } from "./life-cases.js"
import { operationCases } from "./operation-cases.js"
import { subscribingCases } from "./subscribing-cases.js"

/**
 * What every adapter must do. Loop over it in any test runner, with a lab that is made anew for each case; cases whose
 * `needs` your lab does not have are yours to leave out.
 *
 * @example
 * for (const { name, run } of adapterCases.filter((it) => it.needs.length === 0)) {
 *   test(name, () => run({ makeAdapter: () => myAdapter(url) }))
 * }
 */
export const adapterCases: readonly AdapterCase[] = Object.freeze([
  ...deliveryCases,
  ...subscribingCases,
  ...operationCases,
  ...lifeCases,
  ...faultCases,
  ...closingCases,
])
