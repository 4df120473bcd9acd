/**
 * What the demo server tells its terminal: one line for each thing that happens. Names and ids go in, texts never do.
 */

/** Takes one line. */
export type Log = (line: string) => void

/** Writes each line to standard output, with the time in front. */
export const terminalLog: Log = (line) => {
  console.log(`${new Date().toTimeString().slice(0, 8)}  ${line}`)
}
