/**
 * How options become settings: defaults, what was given, and one clear error for what cannot be.
 * `undefined` means "not given". Off is `false`, and is decided by the caller before this file is asked.
 */

import { InvalidOptionError } from "./errors.js"

/** The longest wait a JavaScript timer can hold, in milliseconds; a longer one would fire at once. */
export const MAX_TIMER_MS = 2_147_483_647

/** Options as a caller may give them: any may be left out, or be `undefined`. */
export type Given<T> = { readonly [K in keyof T]?: T[K] | undefined }

/**
 * Lays what was given over the defaults. Keys that are `undefined` keep their default.
 * @throws {@link InvalidOptionError} when `given` is no object, or has a key that the defaults do not have.
 */
export function resolveOptions<T extends object>(path: string, defaults: T, given: Given<T> | undefined): T {
  if (given === undefined) return defaults
  if (typeof given !== "object" || given === null) reject(path, "an object", given)
  const resolved = { ...defaults }
  for (const key of Object.keys(given) as (keyof T & string)[]) {
    if (!Object.hasOwn(defaults, key))
      reject(`${path}.${key}`, `one of ${Object.keys(defaults).join(", ")}`, key)
    const value = given[key]
    if (value !== undefined) resolved[key] = value
  }
  return resolved
}

/**
 * A finite number within bounds.
 * @throws {@link InvalidOptionError} with the value received.
 */
export function checkNumber(path: string, value: unknown, min = 0, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === "number" && value >= min && value <= max) return value
  return reject(
    path,
    max < Number.MAX_SAFE_INTEGER ? `a number from ${min} to ${max}` : `a finite number ≥ ${min}`,
    value,
  )
}

/**
 * A whole number within bounds.
 * @throws {@link InvalidOptionError} with the value received.
 */
export function checkCount(path: string, value: unknown, min = 1): number {
  return Number.isSafeInteger(value) && (value as number) >= min
    ? (value as number)
    : reject(path, `a whole number ≥ ${min}`, value)
}

/**
 * A time in milliseconds that a timer can hold.
 * @throws {@link InvalidOptionError} with the value received.
 */
export function checkMs(path: string, value: unknown, min = 0): number {
  return checkNumber(path, value, min, MAX_TIMER_MS)
}

/**
 * A moment, as milliseconds since 1970.
 * @throws {@link InvalidOptionError} with the value received.
 */
export function checkMoment(path: string, value: number | Date): number {
  const ms = value instanceof Date ? value.getTime() : value
  if (typeof ms === "number" && Number.isFinite(ms)) return ms
  return reject(path, "a valid Date, or milliseconds since 1970", value)
}

/**
 * One of a few words.
 * @throws {@link InvalidOptionError} with the value received.
 */
export function checkOneOf<T>(path: string, value: T, allowed: readonly T[]): T {
  return allowed.includes(value) ? value : reject(path, `one of ${allowed.map(show).join(", ")}`, value)
}

/**
 * A function, or nothing.
 * @throws {@link InvalidOptionError} with the value received.
 */
export function checkFunction<T>(path: string, value: T): T {
  return value === undefined || typeof value === "function" ? value : reject(path, "a function", value)
}

/**
 * An object with these methods.
 * @throws {@link InvalidOptionError} with the value received.
 */
export function checkMethods<T>(path: string, value: T, names: readonly (keyof T & string)[]): T {
  return hasMethods<T>(value, ...names) ? value : reject(path, `an object with ${names.join(", ")}`, value)
}

/** Whether something has these methods, and so may be taken for what has them. */
export function hasMethods<T>(value: unknown, ...names: readonly string[]): value is T {
  return names.every(
    (name) => typeof (value as Record<string, unknown> | undefined | null)?.[name] === "function",
  )
}

/** Throws the error that every bad option ends in. */
export function reject(path: string, wanted: string, received: unknown): never {
  throw new InvalidOptionError(`${path} must be ${wanted}, received ${show(received)}`)
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value)
  if (typeof value === "function") return `function ${value.name || "(anonymous)"}`
  if (typeof value === "object" && value !== null) return Object.prototype.toString.call(value)
  return String(value)
}
