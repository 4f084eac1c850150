import type { ErrorRows } from '../row.ts'

export const brokerErrors = {} as const satisfies ErrorRows
