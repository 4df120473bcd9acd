/**
 * What tests need: sockets in memory and time that moves when told to. Imports no test runner.
 *
 * @module holdfast/testing
 */

export { FakeSocket, type SocketPairOptions, socketPair } from "./testing/socket-pair.js"
export { VirtualClock } from "./testing/virtual-clock.js"
