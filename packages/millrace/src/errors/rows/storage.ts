import type { ErrorRows } from '../row.ts'

export const storageErrors = {} as const satisfies ErrorRows
