/**
 * Validators, of any make that speaks Standard Schema (https://standardschema.dev): zod, valibot, arktype and others.
 * The types are the specification's own, version 1, as far as they are needed here.
 */

import { after } from "../core/maybe-promise.js"
import { reject } from "../core/options.js"
import type { MaybePromise } from "../core/types.js"

/** What is wrong with a value, in one place of it. */
export interface SchemaIssue {
  /** In words, as the validator has them. They may repeat what the peer has sent. */
  readonly message: string
  /** Where: keys, outermost first. */
  readonly path?:
    | readonly (
        | PropertyKey
        | {
            /** The key. */
            readonly key: PropertyKey
          }
      )[]
    | undefined
}

/** What a validator makes of a value: the value, perhaps changed, or what is wrong with it. */
export type SchemaResult<Output> =
  | {
      /** The value, as the schema has it. */
      readonly value: Output
      /** Not there when the value is as it should be. */
      readonly issues?: undefined
    }
  | {
      /** What is wrong with it. */
      readonly issues: readonly SchemaIssue[]
    }

/** A validator that speaks Standard Schema, version 1. */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** The part that all validators have in common. */
  readonly "~standard": {
    /** The version of the specification. */
    readonly version: 1
    /** Whose it is. */
    readonly vendor: string
    /** Looks at a value. May take a while. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    /** The types; not there at run time. */
    readonly types?:
      | {
          /** What goes in. */
          readonly input: Input
          /** What comes out. */
          readonly output: Output
        }
      | undefined
  }
}

/** What comes out of a validator. */
export type SchemaOutput<Schema extends StandardSchema> = NonNullable<Schema["~standard"]["types"]>["output"]

/**
 * Checks that something is a validator.
 * @throws InvalidOptionError with the value received.
 */
export function checkSchema<Schema extends StandardSchema>(path: string, schema: Schema): Schema {
  // some validators are functions
  const isSchema = typeof schema?.["~standard"]?.validate === "function"
  return isSchema ? schema : reject(path, "a validator of Standard Schema", schema)
}

/** Looks at a value with a validator. Throws, or rejects, where the validator does not keep to the specification. */
export function validate(schema: StandardSchema, value: unknown): MaybePromise<SchemaResult<unknown>> {
  return after(schema["~standard"].validate(value), (result) => {
    if (typeof result === "object" && result !== null) return result
    throw new TypeError(`the validator of ${schema["~standard"].vendor} answered ${result}`)
  })
}
