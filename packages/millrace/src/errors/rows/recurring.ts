import type { ErrorRows } from '../row.ts'

export const recurringErrors = {
  MR_RECURRING_FAILED: {
    class: 'HandlerError',
    retriable: false,
    message: ({ job, reason }: { readonly job: string; readonly reason: string }) =>
      `the recurring job ${job} failed: ${reason}`,
    hint: 'It runs again at its next due time, not before; ask for a run by hand when that is too late.',
  },
  MR_RECURRING_UNKNOWN: {
    class: 'UsageError',
    retriable: false,
    message: ({ job, near }: { readonly job: string; readonly near: string | undefined }) =>
      `no worker has ever announced a recurring job ${job}${near === undefined ? '' : `; did you mean ${near}?`}`,
    hint: 'Jobs are known once a worker with them has run; recurring.list() shows those.',
  },
} as const satisfies ErrorRows
