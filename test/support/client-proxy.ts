/**
 * A fault proxy that ends with the test.
 */

import { type FaultProxy, faultProxy } from "holdfast/testing/node"
import { onTestFinished } from "vitest"
import { inTime } from "./deadline.js"

/** Starts a proxy for a port of this machine. */
export async function startProxy(target: number): Promise<FaultProxy> {
  const proxy = await inTime(faultProxy(target), "the proxy to listen")
  onTestFinished(() => inTime(proxy.close(), "the proxy to close"))
  return proxy
}
