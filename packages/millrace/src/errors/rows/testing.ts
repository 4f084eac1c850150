import type { ErrorRows } from '../row.ts'

export const testingErrors = {
  MR_TEST_TIMEOUT: {
    class: 'TimeoutError',
    retriable: false,
    message: ({
      what,
      timeoutMs,
      seen,
      faults,
    }: {
      readonly what: string
      readonly timeoutMs: number
      readonly seen: string
      readonly faults: string
    }) =>
      `${what} did not come within ${timeoutMs} ms; last seen: ${seen || 'nothing'}${faults === '' ? '' : `; faults: ${faults}`}`,
    hint: 'Look at the last requests: the code under test waits for something else, or has stopped.',
  },
} as const satisfies ErrorRows
