/**
 * What a foreman and its workers say to each other. JSON in text frames; a job is a request, and its result the reply.
 */

/** From a worker. */
export type FromWorker = { readonly type: "ready"; readonly pid: number }

/** From the foreman. */
export type FromForeman = { readonly type: "digest"; readonly of: string; readonly rounds: number }

/** What a worker answers. */
export type WorkerReplies = { digest: string }
