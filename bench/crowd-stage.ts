/**
 * A server with a crowd of clients: what most rows are measured on.
 */

import type { ServerContender } from "./contenders.js"
import type { CpuStage } from "./cpu.js"
import { Crowd, type CrowdOptions } from "./load/crowd.js"
import type { Program } from "./program.js"
import type { Launcher } from "./row.js"
import { COMPRESSED } from "./servers/serve.js"

/** A running server and the connections to it. */
export interface CrowdStage extends CpuStage {
  readonly server: Program
  readonly crowd: Crowd
}

/** Starts the contender, and connects as many clients as are asked for. */
export async function openCrowd(
  launcher: Launcher<ServerContender>,
  options: Partial<CrowdOptions> = {},
): Promise<CrowdStage> {
  const server = await launcher.start(options.isCompressed ? [COMPRESSED] : [])
  try {
    const crowd = await crowdOf(server, launcher, options)
    return { server, program: server, crowd, close: () => end(server, crowd) }
  } catch (error) {
    await server.stop()
    throw error
  }
}

/** Connects clients to a server that runs. */
export async function crowdOf(
  server: Program,
  { contender, clients }: Launcher<ServerContender>,
  options: Partial<CrowdOptions> = {},
): Promise<Crowd> {
  const port = await server.ask<number>("port")
  return Crowd.open({ port, size: clients, dialect: contender.dialect ?? "plain", ...options })
}

async function end(server: Program, ...crowds: Crowd[]): Promise<void> {
  for (const crowd of crowds) crowd.close()
  await server.stop()
}
