/**
 * All questions of the bench, in the order in which they are asked.
 */

import type { Row } from "./row.js"
import { batching } from "./rows/batching.js"
import { binary } from "./rows/binary.js"
import { bystanders } from "./rows/bystanders.js"
import { client } from "./rows/client.js"
import { codecs } from "./rows/codecs.js"
import { compressed } from "./rows/compressed.js"
import { echo } from "./rows/echo.js"
import { fanOut } from "./rows/fan-out.js"
import { handshakes } from "./rows/handshakes.js"
import { idle } from "./rows/idle.js"
import { mixed } from "./rows/mixed.js"
import { rooms } from "./rows/rooms.js"

/** Every row. */
export const ROWS: readonly Row[] = [
  fanOut,
  rooms,
  bystanders,
  compressed,
  echo,
  mixed,
  handshakes,
  idle,
  client,
  codecs,
  binary,
  batching,
]
