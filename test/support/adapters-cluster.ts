/**
 * Hubs of strings over one loopback network and one virtual clock: a cluster without a network.
 */

import type { Given, Hub, HubOptions } from "holdfast"
import { LoopbackNetwork, VirtualClock } from "holdfast/testing"
import { addPeer, type StubPeer, stubHub } from "./stub-hub.js"

/** One hub of a cluster. */
export interface ClusterNode {
  readonly hub: Hub<string, string>
  /** Adds a connection, in rooms if any are given. */
  add(id: string, ...rooms: string[]): StubPeer
  /** Adds a connection of a user. */
  addUser(id: string, userId: string): StubPeer
}

/** A cluster, and the ways to work it. */
export function loopbackCluster() {
  const clock = new VirtualClock()
  const network = new LoopbackNetwork({ clock })
  return {
    clock,
    network,
    /** Starts a hub, and lets it meet the others. */
    async start(options: Given<HubOptions<string, string>> = {}): Promise<ClusterNode> {
      const { hub, add } = stubHub({ adapter: network.adapter(), clock, ...options })
      await clock.advance(300)
      await hub.ready
      return {
        hub,
        add: (id, ...rooms) => add(id, ...rooms),
        addUser: (id, userId) => addPeer(hub, { id, userId }),
      }
    },
    /** Waits for a promise while time passes. */
    async settle<T>(promise: Promise<T>, ms = 5): Promise<T> {
      await clock.advance(ms)
      return promise
    },
  }
}
