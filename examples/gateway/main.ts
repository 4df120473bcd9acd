/**
 * `npx tsx examples/gateway/main.ts`: a gateway for thermometers that speak a binary protocol, and two thermometers. Whoever watches
 * gets JSON; whoever commands uses HTTP.
 */

import { randomBytes } from "node:crypto"
import { startDevice } from "./device.js"
import { startGateway } from "./gateway.js"

const keys = new Map(["porch", "cellar", "attic"].map((device) => [device, randomBytes(16).toString("hex")]))
const gateway = await startGateway(Number(process.env.PORT ?? 8080), keys)
const { port } = gateway
console.log(`watch:            npx wscat -c ws://127.0.0.1:${port}/watch`)
console.log(`command:          curl -X POST "http://127.0.0.1:${port}/devices/porch/interval?seconds=5"`)
console.log(
  `be a device:      npx wscat -c ws://127.0.0.1:${port}/devices/attic -H "Authorization: Bearer ${keys.get("attic")}"`,
)

const url = (device: string) => `ws://127.0.0.1:${port}/devices/${device}`
const devices = [
  startDevice(url("porch"), keys.get("porch") ?? "", () => -3 + Math.random()),
  startDevice(url("cellar"), keys.get("cellar") ?? "", () => 11 + Math.random()),
]

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, async () => {
    await Promise.all(devices.map((stop) => stop()))
    await gateway[Symbol.asyncDispose]()
  })
}
