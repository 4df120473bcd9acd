/**
 * `npx tsx examples/messages/batching.ts`: many small messages in few frames, and a peer that has never heard of it.
 */

import { batch, createHub, json, ReconnectingClient } from "holdfast"
import WebSocket from "ws"
import { serve } from "./serve.js"

type Move = { type: "move"; x: number; y: number }

const codec = batch(json<Move, Move>(), { maxMessages: 100, maxBytes: 16_384, maxDelayMs: 10 })
const hub = createHub({ codec })
hub.on("connection", ({ connection }) => connection.join("field"))

await using server = await serve(hub)
await using player = new ReconnectingClient(server.url, { codec })
await player.opened

const plain = new WebSocket(server.url)
let frames = 0
let moves = 0
const everything = new Promise<void>((resolve) => {
  plain.on("message", (data) => {
    frames += 1
    moves += String(data).split("\n").length
    if (moves === 1_000) resolve()
  })
})
await new Promise((resolve) => plain.once("open", resolve))

// from the server to everybody in the field: put together once, however many they are
const toField = codec.sender(hub.to("field"))
for (let i = 0; i < 1_000; i += 1) toField.send({ type: "move", x: i, y: -i })
toField.close()
await everything
console.log(`${moves} moves came in ${frames} frames`)

// from a client to the server: each move is a message of its own there
let received = 0
const arrived = new Promise<void>((resolve) => {
  hub.on("message", ({ data }) => {
    if (data.x !== received) throw new Error("out of order")
    received += 1
    if (received === 250) resolve()
  })
})
const moving = codec.sender(player)
for (let i = 0; i < 250; i += 1) moving.send({ type: "move", x: i, y: 0 })
console.log(`${moving.size} wait for others, ${moving.bytes} bytes`)
await arrived
console.log(`${received} moves arrived, in order`)
plain.close()
