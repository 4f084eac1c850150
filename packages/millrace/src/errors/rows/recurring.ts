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
  MR_SCHEDULE_DATE_INVALID: {
    class: 'UsageError',
    retriable: false,
    message: ({ schedule }: { readonly schedule: string }) =>
      `the date for a message of the schedule ${schedule} is invalid`,
    hint: 'Check where it comes from: new Date() of a text that is no date gives one that is none.',
  },
} as const satisfies ErrorRows
