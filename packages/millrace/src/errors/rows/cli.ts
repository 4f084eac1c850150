import type { ErrorRows } from '../row.ts'

export const cliErrors = {} as const satisfies ErrorRows
