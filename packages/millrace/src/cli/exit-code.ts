import { isFailure } from '../errors/index.ts'

/** 0 done, 1 failed, 2 wrong command line, 3 a check found problems, 130 interrupted. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  /** With --detailed-exit-code alone. */
  difference: 2,
  problems: 3,
  interrupted: 130,
} as const

/** The one place in which an error becomes an exit code. */
export function exitCodeOf(error: unknown): number {
  const isUsage = isFailure(error) && usageCodes.has(error.code)
  return isUsage ? exitCodes.usage : exitCodes.failed
}

/** What a different command line would have avoided; a name that the cluster does not know is none of these. */
const usageCodes: ReadonlySet<string> = new Set([
  'MR_CLI_USAGE',
  'MR_CLI_CONFIRMATION_MISSING',
  'MR_INSTALL_FILES_EXIST',
])
