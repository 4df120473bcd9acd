/**
 * Who is on the board, kept from a snapshot and the changes after it. It knows no screen and no line.
 */

import type { PresenceChange, PresenceSnapshot } from "holdfast"
import type { Look } from "../protocol.js"

/** Everybody, by key. */
export class People {
  readonly looks = new Map<string, Look>()
  #version: number | undefined

  /** Begins anew. */
  begin({ members, version }: PresenceSnapshot<Look>): void {
    this.looks.clear()
    for (const { key, meta } of members) this.looks.set(key, meta)
    this.#version = version
  }

  /** Takes a change. Returns false when one before it did not come: then everybody must be asked for anew. */
  change({ joined, updated, left, version }: PresenceChange<Look>): boolean {
    if (this.#version === undefined || version <= this.#version) return true // the snapshot is on its way, or has it
    if (version !== this.#version + 1) return false
    this.#version = version
    for (const { key, meta } of [...joined, ...updated]) this.looks.set(key, meta)
    for (const { key } of left) this.looks.delete(key)
    return true
  }

  /** Forgets everybody: nobody knows who is there while the line is down. */
  forget(): void {
    this.looks.clear()
    this.#version = undefined
  }
}
