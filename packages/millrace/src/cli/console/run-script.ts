import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { inspect } from 'node:util'
import { constants, Script } from 'node:vm'

import { exitCodes } from '../exit-code.ts'

/**
 * Runs the statements of a script one after the other, and prints what each expression gives. Node's own loop, fed
 * by a pipe, reads on while a statement is awaited.
 *
 * A statement is as many lines as it takes to be complete. What is declared stays for those that follow.
 * @returns the exit code; the first statement that fails is the last
 */
export async function runScript(input: Readable, output: Writable): Promise<number> {
  let code = ''
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    code += `${line}\n`
    if (code.trim() === '') continue
    const statement = compile(code)
    if (statement === undefined) continue
    code = ''
    try {
      const result = await statement()
      if (result !== undefined) output.write(`${inspect(result, { depth: 6 })}\n`)
    } catch (error) {
      output.write(`${inspect(error)}\n`)
      return exitCodes.failed
    }
  }
  if (code.trim() === '') return exitCodes.done
  output.write(`This statement is not complete, or none:\n${code}`)
  return exitCodes.failed
}

/** Undefined while it is not complete. An expression gives its value; a declaration becomes a global of its name. */
function compile(code: string): (() => Promise<unknown>) | undefined {
  const plain = code.trim().replace(/;$/, '')
  const declared = plain.replace(/^(?:const|let|var)\s+/, '')
  const named = plain.replace(/^((?:async\s+)?function\b\s*\*?|class)\s+([\w$]+)/, '$2 = $1 $2')
  const forms =
    plain === declared && plain === named
      ? [`return (${plain}\n)`, code]
      : [`(${plain === named ? declared : named}\n)`, declared]
  for (const form of forms) {
    try {
      const script = new Script(`(async () => { ${form}\n})`, {
        filename: 'console',
        importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      })
      // Not strict, on purpose: that is what makes a global of a name that nobody has declared.
      return script.runInThisContext() as () => Promise<unknown>
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
    }
  }
  return undefined
}
