import { defineConfig } from "tsup"

export default defineConfig({
  entry: [
    "src/index.ts",
    "src/server.ts",
    "src/compat.ts",
    "src/testing.ts",
    "src/testing/node.ts",
    "src/adapters/cluster.ts",
    "src/adapters/kafka.ts",
    "src/adapters/nats.ts",
    "src/adapters/redis.ts",
    "src/metrics/prometheus.ts",
    "src/metrics/opentelemetry.ts",
    "src/codecs/msgpack.ts",
    "src/auth/jwt.ts",
  ],
  format: ["esm", "cjs"],
  tsconfig: "tsconfig.build.json",
  target: ["es2022", "node20"],
  splitting: true, // in CommonJS too: without it each door carries its own copy of the shared classes
  treeshake: true, // by Rollup, which also writes the CommonJS: the other way rewrites `?.` into slow helpers
  sourcemap: true,
  // The declarations name AsyncDisposable, which the default `lib` of a project does not hold.
  dts: { banner: '/// <reference lib="esnext.disposable" />' },
  clean: true,
})
