/**
 * Two nodes over Redis: `npm run demo:redis`, with a Redis at `REDIS_URL`. examples/compose.yaml starts one.
 */

import { createClient } from "@redis/client"
import { redis } from "holdfast/adapters/redis"
import { twoNodes } from "./two-nodes.js"

const { REDIS_URL = "redis://127.0.0.1:6379" } = process.env

// the client is a pattern: the adapter opens connections of its own, made like this one
await twoNodes(import.meta.url, `Redis at ${REDIS_URL}`, () => redis(createClient({ url: REDIS_URL })))
