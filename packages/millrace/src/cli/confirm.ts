import { failure } from '../errors/index.ts'
import type { Printer } from './printer.ts'

/**
 * Asks for the name of what will be destroyed, typed out. Without a terminal nothing is asked.
 * @throws MR_CLI_CONFIRMATION_MISSING
 */
export async function confirmDestruction({
  what,
  names,
  isConfirmed,
  print,
}: {
  readonly what: string
  readonly names: readonly string[]
  readonly isConfirmed: boolean
  readonly print: Printer
}): Promise<void> {
  if (isConfirmed) return
  // Nobody who could answer: say which flag is missing instead of waiting.
  if (!process.stdin.isTTY || !print.isTerminal)
    throw failure('MR_CLI_CONFIRMATION_MISSING', { what })
  const { createInterface } = await import('node:readline/promises')
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await prompt.question(
      `${what} cannot be undone. Type ${names.join(' ')} to go ahead: `,
    )
    if (answer.trim() !== names.join(' ')) throw failure('MR_CLI_CONFIRMATION_MISSING', { what })
  } finally {
    prompt.close()
  }
}
