import { describe, expect, it } from "vitest"
import { selfSigned } from "../../../examples/beside/self-signed.js"
import { type Program, startProgram } from "../../support/demo-process.js"
import { request } from "../../support/http-request.js"
import { connect } from "../../support/ws-server.js"

const trust = { ca: selfSigned.cert }

/** Starts an example and returns the addresses that it tells people to try. */
async function start(file: string): Promise<{ program: Program; page: string; socket: string; say: string }> {
  const program = startProgram(`beside/${file}.ts`, [], { PORT: "0" })
  const [, page = ""] = await program.line(/curl (?:-k )?(https?:\S+)$/)
  const [, socket = ""] = await program.line(/-c (wss?:\S+) /)
  const [, say = ""] = await program.line(/-X POST (https?:\S+)$/)
  return { program, page, socket, say }
}

describe.each([
  ["express", "Express"],
  ["fastify", "Fastify"],
  ["hono", "Hono"],
  ["https", "node:https"],
])("S48: npm run demo:%s", (file, name) => {
  it("shares a port with a hub, which its routes speak through, and stops in good order", async () => {
    const { program, page, socket, say } = await start(file)
    const [ada, bob] = [await connect(socket, trust), await connect(socket, trust)]
    expect(await request(page)).toEqual({ status: 200, body: `${name}, with 2 WebSockets beside it\n` })
    ada.send(JSON.stringify({ text: "hi" }))
    for (const client of [ada, bob]) {
      expect(JSON.parse(String(await client.next()))).toMatchObject({ text: "hi" })
    }
    expect((await request(say, "POST")).status).toBe(204)
    expect(JSON.parse(String(await bob.next()))).toEqual({ from: name, text: "hello" })
    program.signal("SIGTERM")
    for (const client of [ada, bob]) expect((await client.closed(10_000)).code).toBe(1012)
    expect(await program.exited()).toMatchObject({ code: 0, stderr: "" })
  })
})

describe("npm run demo:https", () => {
  it("lets in who trusts its certificate, and who does not refuses to connect", async () => {
    const program = startProgram("beside/https.ts", [], { PORT: "0" })
    await program.line(/^a client that trusts the certificate connects$/)
    await program.line(/^a client that was not told of it refuses to connect: DEPTH_ZERO_SELF_SIGNED_CERT$/)
    const [, socket = ""] = await program.line(/-c (wss:\S+) /)
    await expect(connect(socket, { ...trust, maxVersion: "TLSv1.2" })).rejects.toThrow(/version/)
  })
})

describe("S48: npm run demo:jwt", () => {
  it("shows a login that is renewed and revoked, one that expires, and one that is made up", async () => {
    const { code, stdout, stderr } = await startProgram("jwt/main.ts").exited()
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
    const lines = stdout.split("\n")
    expect(lines.filter((it) => /^(ada|bob|eve|server):/.test(it)).sort()).toEqual([
      "ada: ended by 4403 revoked, cause auth",
      "ada: renewed 1 times",
      "ada: renewed 2 times",
      "ada: welcome, ada",
      "bob: ended by 4401 the login has expired, cause auth",
      "eve: ended by 4401 Unauthorized, cause auth",
      "server: refused with 401, token: algorithm",
    ])
  })
})
