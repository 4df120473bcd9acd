/**
 * The shapes of the messages that arrive, for the rows that check them.
 */

import { z } from "zod"

/** By type. */
export const SCHEMAS = {
  join: z.object({ type: z.literal("join"), room: z.string().max(100) }),
  say: z.object({ type: z.literal("say"), room: z.string().max(100), text: z.string().max(500) }),
  move: z.object({ type: z.literal("move"), x: z.number(), y: z.number() }),
  leave: z.object({ type: z.literal("leave"), room: z.string().max(100) }),
}
