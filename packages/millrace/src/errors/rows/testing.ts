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
  MR_TEST_NOT_SETTLED: {
    class: 'TimeoutError',
    retriable: false,
    message: ({ open }: { readonly open: readonly string[] }) =>
      `the app has not settled:\n${open.map((line) => `  ${line}`).join('\n')}`,
    hint: 'Each line is a partition with messages that are not committed: a handler waits, retries, or does not mark.',
  },
} as const satisfies ErrorRows
