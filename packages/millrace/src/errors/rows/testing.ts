import type { ErrorRows } from '../row.ts'

export const testingErrors = {} as const satisfies ErrorRows
