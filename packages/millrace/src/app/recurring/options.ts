import type { Duration } from '../../kit/index.ts'
import type { Logger } from '../ports.ts'
import type { Send } from '../produce/sendable.ts'

/** Why a job runs now. */
export type RunReason =
  /** It is due. */
  | 'due'
  /** It was due while nobody ran it. */
  | 'missed'
  /** Whoever ran it for this due time did not finish: its process is gone. */
  | 'again'
  /** Somebody asked for it. */
  | 'hand'

/** What a run is given. Safe to take apart. */
export interface RecurringContext {
  readonly job: string
  /** The time for which it runs, to the minute. */
  readonly dueAt: Date
  readonly reason: RunReason
  /** Aborts when the worker stops, or another one has taken over. */
  readonly signal: AbortSignal
  readonly log: Logger
  readonly send: Send
}

export interface RecurringOptions {
  /** Five fields: minute, hour, day of the month, month, day of the week; or `@daily` and the like. */
  readonly cron: string
  /** IANA name. Default `'UTC'`, so that it does not depend on the machine. */
  readonly timeZone?: string
  /** A failure is reported; the next time is the next due time. */
  readonly run: (context: RecurringContext) => unknown
  /**
   * What becomes of due times that passed while no worker was there, or of a run whose worker was killed: `'once'`
   * (default) makes up for all of them with one run, so that a killed run is repeated; `'none'` drops them.
   */
  readonly missed?: 'once' | 'none'
}

export interface RecurringJob {
  readonly kind: 'recurring'
  readonly name: string
  readonly cron: string
  readonly timeZone: string
  readonly run: (context: RecurringContext) => unknown
  readonly missed: 'once' | 'none'
}

/** All recurring jobs of an app, where more than the list is to be said. */
export interface RecurringSchedule {
  /** While a deploy has both, the workers with the higher one run the jobs. Default 0. */
  readonly version?: number
  /** How often due times are looked at. Default `'15s'`. */
  readonly tick?: Duration
  readonly jobs: readonly RecurringJob[]
}

/**
 * Declares a job that runs at times. Of all workers of the app one runs it; when that one goes, another one does.
 *
 * @example
 * const tidy = defineRecurring('tidy', { cron: '0 3 * * *', timeZone: 'Europe/Berlin', run: () => console.log('tidy') })
 * export default defineConfig({ app: defineApp({ recurring: [tidy] }) })
 */
export function defineRecurring(name: string, options: RecurringOptions): RecurringJob {
  const { cron, timeZone = 'UTC', run, missed = 'once' } = options
  return { kind: 'recurring', name, cron, timeZone, run, missed }
}

export function scheduleOf(
  declared: readonly RecurringJob[] | RecurringSchedule | undefined,
): Required<RecurringSchedule> {
  const isList = declared === undefined || Array.isArray(declared)
  const given = (isList ? { jobs: declared ?? [] } : declared) as RecurringSchedule
  return { version: 0, tick: '15s', ...given }
}
