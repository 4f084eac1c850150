import type { Field } from './field.ts'
import { defaultOf } from './facts.ts'

/** Lines of generated code, with names that do not repeat in it. */
export class Code {
  readonly #lines: string[] = []
  #names = 0

  line(text: string): void {
    this.#lines.push(text)
  }

  name(): string {
    return `x${this.#names++}`
  }

  toString(): string {
    return this.#lines.join('\n')
  }
}

let isAllowed: boolean | undefined

/** False under `--disallow-code-generation-from-strings` and where a policy says so. */
export function mayGenerate(): boolean {
  if (isAllowed !== undefined) return isAllowed
  try {
    // oxlint-disable-next-line typescript/no-implied-eval
    isAllowed = typeof new Function('') === 'function'
  } catch (error) {
    if (!(error instanceof EvalError)) throw error
    isAllowed = false
  }
  return isAllowed
}

/**
 * A function from its source. All that goes into it comes from our own schemas: names, numbers and
 * defaults, never anything that a peer has sent.
 */
export function generate(parameters: string, code: Code, result: string, known: Known): unknown {
  const body = `'use strict'\nreturn function (${parameters}) {\n${code.toString()}\n${result}\n}`
  // oxlint-disable-next-line typescript/no-implied-eval
  const make = new Function('noBytes', 'tests', body) as (noBytes: Buffer, tests: Tests) => unknown
  return make(known.noBytes, known.tests)
}

type Tests = readonly ((value: unknown) => boolean)[]

/** What generated code reaches besides its parameters. */
interface Known {
  readonly noBytes: Buffer
  readonly tests: Tests
}

/** The default of a field as source; lists and structs are made afresh wherever it stands. */
export function defaultSource(field: Field<unknown>): string {
  const value = defaultOf(field)
  if (value instanceof Uint8Array) return 'noBytes'
  if (value !== null && field.spec.kind === 'struct') {
    const parts = Object.entries(field.spec.shape!).map(
      ([name, inner]) => `${name}: ${defaultSource(inner)}`,
    )
    return `{ ${parts.join(', ')} }`
  }
  return JSON.stringify(value)
}
