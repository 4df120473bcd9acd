import type { SharedLimiter } from "holdfast/server"
import type {
  BurstyRateLimiter,
  RateLimiterMemory,
  RateLimiterPostgres,
  RateLimiterRedis,
  RateLimiterUnion,
} from "rate-limiter-flexible"
import { expectTypeOf, it } from "vitest"

it("S44: limiters of rate-limiter-flexible are shared limiters as they are", () => {
  expectTypeOf<RateLimiterRedis>().toExtend<SharedLimiter>()
  expectTypeOf<RateLimiterPostgres>().toExtend<SharedLimiter>()
  expectTypeOf<RateLimiterMemory>().toExtend<SharedLimiter>()
  expectTypeOf<RateLimiterUnion>().toExtend<SharedLimiter>()
  expectTypeOf<BurstyRateLimiter>().toExtend<SharedLimiter>()
})
