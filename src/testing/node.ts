/**
 * What tests need that only Node has: a hub on a real server, and a TCP proxy that breaks lines. Imports no test runner.
 *
 * @module holdfast/testing/node
 */

export type { FaultDirection } from "./fault-line.js"
export { FaultProxy, type FaultProxyOptions, faultProxy } from "./fault-proxy.js"
export {
  startTestHub,
  TestHub,
  type TestHubConnectOptions,
  type TestHubOptions,
  type TestPair,
} from "./test-hub.js"
