import { expect, it } from "vitest"
import { fakeSocket } from "../../support/compat-fake.js"
import { seededRandom } from "../../support/seeded-random.js"

const MAKES = ["browser", "node22", "node24", "frames"] as const
const ROUNDS = 100
const STEPS = 40

it.each(MAKES)(
  `C39 over ${ROUNDS} random orders of calls and losses with %s sockets, opens and closes alternate, nothing is sent twice, and the end is the end`,
  async (make) => {
    for (let seed = 1; seed <= ROUNDS; seed += 1) {
      const random = seededRandom(seed)
      const { socket, network, clock, lines } = fakeSocket({ make, minUptime: 2_000, heartbeat: false })
      const sent: string[] = []
      let live = 0
      let isOver = false
      network.onDial = (it) => {
        live = Math.max(live, network.live.length)
        const fate = random()
        if (fate < 0.6) it.accept()
        else if (fate < 0.85) it.refuse()
      }
      const send = () => {
        sent.push(String(sent.length))
        socket.send(sent.at(-1) as string)
      }
      const steps = [
        send,
        send,
        () => network.sockets.at(-1)?.end(4000),
        () => network.sockets.at(-1)?.cut(),
        () => socket.close(),
        () => socket.reconnect(4001),
        () => socket.addEventListener("close", () => isOver || socket.reconnect(), { once: true }),
        () => socket.addEventListener("error", () => socket.close(), { once: true }),
        () => socket.addEventListener("open", send, { once: true }),
      ]
      for (let i = 0; i < STEPS; i += 1) {
        steps[Math.floor(random() * steps.length)]?.()
        if (random() < 0.6) await clock.advance(random() < 0.5 ? 0 : Math.floor(random() * 1_500))
      }
      await clock.advance(0)
      isOver = true
      socket.close()
      await clock.advance(60_000)

      const where = `seed ${seed}: ${lines.join(", ")}`
      const kinds = lines.map((it) => it.split(" ")[0])
      expect(
        kinds.filter((it, i) => it === "open" && kinds[i + 1] === "open"),
        where,
      ).toEqual([])
      expect(
        kinds.filter((it, i) => it === "error" && kinds[i + 1] !== "close"),
        where,
      ).toEqual([])
      expect(lines.at(-1), where).toMatch(/^close .*@3$/)
      // a socket that is being replaced may still be closing while its successor dials
      expect(live, where).toBeLessThanOrEqual(1)
      const numbers = network.received.map(Number)
      expect(numbers, where).toEqual([...new Set(numbers)].sort((a, b) => a - b))
      expect([clock.pending, network.live.length], where).toEqual([0, 0])
    }
  },
)
