import type { ErrorRows } from '../row.ts'

export const clientErrors = {} as const satisfies ErrorRows
