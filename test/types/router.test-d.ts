import type { StandardSchemaV1 } from "@standard-schema/spec"
import { type } from "arktype"
import {
  type Connection,
  createHub,
  createRouter,
  type HubConnection,
  ReconnectingClient,
  type SchemaOutput,
  type StandardSchema,
} from "holdfast"
import * as v from "valibot"
import { describe, expectTypeOf, it } from "vitest"
import { z } from "zod"

type FromClient =
  | { type: "join"; room: string }
  | { type: "say"; text: string; to?: string }
  | { type: "up" | "down"; by: number }
type FromServer = { type: "joined"; room: string } | { type: "error"; code: string; message: string }
interface User {
  readonly name: string
}
type Peer = HubConnection<FromClient, FromServer, User>

const hub = createHub<FromClient, FromServer, User>()
const router = createRouter<FromClient, Peer>()

describe("T10: a router's handlers", () => {
  it("get the message of their type, without a cast", () => {
    router.on("join", ({ message, peer }) => {
      expectTypeOf(message).toEqualTypeOf<{ type: "join"; room: string }>()
      expectTypeOf(peer).toEqualTypeOf<Peer>()
      expectTypeOf(peer.data.name).toEqualTypeOf<string>()
      peer.send({ type: "joined", room: message.room })
      // @ts-expect-error a client's message is not the server's
      peer.send({ type: "join", room: message.room })
      // @ts-expect-error only say has a text
      message.text
    })
    router.on("up", ({ message }) => expectTypeOf(message.by).toEqualTypeOf<number>())
  })

  it("are for types that there are", () => {
    // @ts-expect-error no such type
    router.on("sing", () => {})
    // @ts-expect-error a handler takes a context
    router.on("join", (room: string) => room)
    // @ts-expect-error a schema is no handler
    router.on("join", z.object({}))
  })

  it("get what the schema makes of it", () => {
    const schemas = {
      zod: z.object({ type: z.literal("say"), text: z.string().transform((it) => it.length) }),
      valibot: v.object({
        type: v.literal("say"),
        text: v.pipe(
          v.string(),
          v.transform((it) => it.length),
        ),
      }),
      arktype: type({ type: "'say'", text: type("string").pipe((it) => it.length) }),
    }
    type Output = { type: "say"; text: number }
    router.on("say", schemas.zod, ({ message }) => expectTypeOf(message).toEqualTypeOf<Output>())
    router.on("say", schemas.valibot, ({ message }) => expectTypeOf(message).toEqualTypeOf<Output>())
    router.on("say", schemas.arktype, ({ message }) => expectTypeOf(message).toEqualTypeOf<Output>())
    // @ts-expect-error the text is a number by now
    router.on("say", schemas.zod, ({ message }) => message.text.trim())
    // @ts-expect-error no validator
    router.on("say", { parse: () => 1 }, () => {})
  })

  it("of a discriminator of another name say so once", () => {
    type Kinds = { kind: 1; a: string } | { kind: 2; b: string }
    createRouter<Kinds, Peer, object, "kind">({ discriminator: "kind" }).on(1, ({ message }) => {
      expectTypeOf(message).toEqualTypeOf<{ kind: 1; a: string }>()
    })
    // @ts-expect-error the types were said to be in `type`
    createRouter<Kinds, Peer>({ discriminator: "kind" })
  })

  it("of unknown messages take any type", () => {
    createRouter().on("anything", ({ message }) => {
      expectTypeOf(message.type).toEqualTypeOf<"anything">()
      expectTypeOf(message.field).toBeUnknown()
    })
  })

  it("may be chained, and end in a router", () => {
    const chained = router
      .use(async ({ message, peer }, next) => {
        expectTypeOf(message).toEqualTypeOf<FromClient>()
        expectTypeOf(peer).toEqualTypeOf<Peer>()
        expectTypeOf(next).toEqualTypeOf<() => Promise<void>>()
      })
      .otherwise(({ message }) => expectTypeOf(message).toEqualTypeOf<FromClient>())
      .invalid(({ issues, cause }) => {
        expectTypeOf(issues[0]?.message).toEqualTypeOf<string | undefined>()
        expectTypeOf(cause).toBeUnknown()
      })
    expectTypeOf(chained).toEqualTypeOf(router)
  })
})

describe("T10: a router's answers", () => {
  interface Replies {
    join: { members: number }
    sing: string
  }
  const answering = createRouter<FromClient, Peer, Replies>()

  it("have the type of their reply", () => {
    answering.answer("join", ({ message }) => ({ members: message.room.length }))
    answering.answer("join", async () => ({ members: 1 }))
    answering.answer("join", z.object({ size: z.number() }), ({ message }) => ({ members: message.size }))
    // @ts-expect-error a number of members is a number
    answering.answer("join", () => ({ members: "one" }))
    // @ts-expect-error the same, later
    answering.answer("join", async () => ({ members: "one" }))
    // @ts-expect-error no reply is known for it
    answering.answer("say", () => 1)
    // @ts-expect-error no such message
    answering.answer("sing", () => "la")
  })
})

describe("T10: a router is mounted", () => {
  it("where its messages come in", () => {
    expectTypeOf(router.mount(hub)).toEqualTypeOf<() => void>()
    router.mount(hub.connections.get("id") as Peer)
    const client = new ReconnectingClient<FromServer, FromClient>("ws://x")
    createRouter<FromServer, typeof client>()
      .on("joined", ({ peer }) => peer.send({ type: "join", room: "a" }))
      .mount(client)
    createRouter<FromClient, Connection<FromClient, FromServer>>().mount(
      {} as Connection<FromClient, FromServer>,
    )
  })

  it("nowhere else", () => {
    // @ts-expect-error a hub of other messages
    router.mount(createHub<{ type: "other" }, FromServer, User>())
    // @ts-expect-error a hub that sends other messages
    router.mount(createHub<FromClient, string, User>())
    // @ts-expect-error a hub of other data
    router.mount(createHub<FromClient, FromServer, string>())
    // @ts-expect-error the client is the other side
    router.mount(new ReconnectingClient<FromServer, FromClient>("ws://x"))
    // @ts-expect-error no source of messages
    router.mount({ send() {} })
  })
})

describe("T10: Standard Schema", () => {
  it("is the specification's", () => {
    expectTypeOf<StandardSchemaV1<string, number>>().toExtend<StandardSchema<string, number>>()
    expectTypeOf<SchemaOutput<StandardSchemaV1<string, number>>>().toEqualTypeOf<number>()
  })
})
