import type { ErrorRows } from '../row.ts'

export const drainErrors = {} as const satisfies ErrorRows
