/**
 * Small types that every floor shares. Nothing here exists at run time.
 */

/** What one WebSocket message carries: a text frame is a string, a binary frame is bytes (RFC 6455, section 5.6). */
export type Payload = string | Uint8Array

/** A value, or a promise of it. */
export type MaybePromise<T> = T | PromiseLike<T>

/** Undoes what returned it. Calling it again does nothing. */
export type Unsubscribe = () => void

/** The same fields, for whoever owns the object. */
export type Writable<T> = { -readonly [K in keyof T]: T[K] }
