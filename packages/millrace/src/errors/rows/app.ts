import type { ErrorRows } from '../row.ts'

export const appErrors = {} as const satisfies ErrorRows
