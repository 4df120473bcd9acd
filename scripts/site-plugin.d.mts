/** What the tests need of site-plugin.mjs. */

/** The pages by group, both in reading order. */
export declare const PAGES: ReadonlyMap<string, readonly string[]>
