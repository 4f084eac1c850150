import { defineEvent } from '../define-event.ts'

export interface RecurringRun {
  readonly job: string
  /** `due`, `missed`, `again`, `hand`. */
  readonly reason: string
  /** The time for which it ran. */
  readonly dueMs: number
  /** From then to its start. */
  readonly lateMs: number
  readonly durationMs: number
}

export const recurringEvents = {
  recurringRan: defineEvent<RecurringRun>('recurring.ran', 'A recurring job has run.'),
  recurringFailed: defineEvent<RecurringRun & { readonly error: unknown }>(
    'recurring.failed',
    'A recurring job threw; it runs again at its next due time.',
  ),
  scheduleSent: defineEvent<{
    readonly schedule: string
    readonly id: string
    readonly topic: string
    readonly dueMs: number
    /** From then to its acknowledgement. */
    readonly lateMs: number
  }>('schedule.sent', 'A scheduled message was sent, and its topic has acknowledged it.'),
}
