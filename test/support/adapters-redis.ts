/**
 * Redis for tests: real servers, and adapters made with each of the two client libraries.
 */

import { createClient } from "@redis/client"
import type { Adapter } from "holdfast"
import { type RedisAdapterOptions, redis } from "holdfast/adapters/redis"
import { Redis } from "ioredis"
import { ensureProgram } from "../../scripts/debian-packages.js"
import type { EngineKind } from "./adapters-engine.js"

/** A Redis that keeps nothing on disk. */
export function redisServer(...more: string[]): EngineKind {
  return {
    program: ensureProgram("redis-server", "redis-server"),
    args: (port, folder) => [
      ...["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder],
      ...["--save", "", "--appendonly", "no", ...more],
    ],
    ready: /Ready to accept connections/,
  }
}

/** Makes an adapter of each client library. Their clients are patterns: they never connect. */
export const REDIS_CLIENTS = {
  "@redis/client": (url: string, options?: RedisAdapterOptions): Adapter =>
    redis(createClient({ url }), options),
  ioredis: (url: string, options?: RedisAdapterOptions): Adapter =>
    redis(new Redis(url, { lazyConnect: true }), options),
} as const
