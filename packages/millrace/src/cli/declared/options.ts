import type { CommandOption } from '../command.ts'

/** Of the commands that align declared topics. */
export const detailedExitCode = {
  type: 'flag',
  about: '0 same, 1 error, 2 a difference was found, or applied',
} as const satisfies CommandOption

export const allowKeyMove = {
  type: 'flag',
  about: 'add partitions also where messages have keys: new ones of a key may go elsewhere',
} as const satisfies CommandOption

export const dryRun = {
  type: 'flag',
  about: 'only show what would change',
} as const satisfies CommandOption
