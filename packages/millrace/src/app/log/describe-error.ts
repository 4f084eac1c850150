import { MillraceError } from '../../errors/index.ts'
import { ownModules } from '../../kit/index.ts'
import { classOf } from '../owner/describe.ts'

const mostCauses = 5

/**
 * What a log line holds of an error: never its context, where messages may lie, and of its stack the lines that a
 * reader can change, which are not ours. A fault of ours keeps them all.
 */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error), stack: '' }
  const stacks = [isOurFault(error) ? error.stack : readersLines(error)]
  for (
    let cause = error.cause;
    cause instanceof Error && stacks.length <= mostCauses;
    cause = cause.cause
  )
    stacks.push(`caused by ${readersLines(cause)}`)
  return {
    type: classOf(error),
    message: error.message,
    ...('code' in error ? { code: error.code } : {}),
    ...('hint' in error ? { hint: error.hint } : {}),
    stack: stacks.join('\n'),
  }
}

/** Said so, or thrown here without being one of our errors. */
function isOurFault(error: Error): boolean {
  if (error instanceof MillraceError) return error.name === 'InternalError'
  const top = (error.stack ?? '').split('\n').find(isFrame)
  return top?.includes(ownModules) === true
}

function readersLines({ stack = '' }: Error): string {
  return stack
    .split('\n')
    .filter((line) => !isFrame(line) || !line.includes(ownModules))
    .join('\n')
}

function isFrame(line: string): boolean {
  return /^\s+at /.test(line)
}
