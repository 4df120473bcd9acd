/**
 * What tests need: sockets in memory, time that moves when told to, a broker in memory, and the adapter contract as
 * cases to run. Imports no test runner.
 *
 * @module holdfast/testing
 */

export type { AdapterCase, AdapterFaults, AdapterLab } from "./testing/cases/adapter-case.js"
export { adapterCases } from "./testing/cases/adapter-cases.js"
export { LoopbackNetwork, type LoopbackOptions } from "./testing/loopback.js"
export { FakeSocket, type SocketPairOptions, socketPair } from "./testing/socket-pair.js"
export {
  connectTestClient,
  type RawFrame,
  TestClient,
  type TestClientOptions,
} from "./testing/test-client.js"
export { VirtualClock } from "./testing/virtual-clock.js"
