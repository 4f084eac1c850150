import type { ErrorRows } from '../row.ts'

export const protocolErrors = {} as const satisfies ErrorRows
