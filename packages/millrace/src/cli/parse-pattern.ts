import { failure } from '../errors/index.ts'

/** @throws MR_CLI_USAGE */
export function parsePattern(flag: string, text: string): RegExp {
  try {
    return new RegExp(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw failure('MR_CLI_USAGE', { reason: `${flag}: ${reason}` }, { cause: error })
  }
}
