import { createRequire } from 'node:module'

import type { Cron } from 'croner'

/** The times of a cron expression; milliseconds of the epoch, on the minute. */
export interface CronTimes {
  /** The first after a time; undefined when there is none any more. */
  next(afterMs: number): number | undefined
  /** The last at or before a time. */
  last(atMs: number): number | undefined
}

/** Loaded by those who have recurring jobs, and not asynchronously, since a configuration is checked in one go. */
let loaded: typeof Cron | undefined

/** @throws what croner finds wrong with the expression or the time zone */
export function cronTimes(expression: string, timeZone: string): CronTimes {
  loaded ??= (createRequire(import.meta.url)('croner') as { readonly Cron: typeof Cron }).Cron
  const cron = new loaded(expression, { paused: true, timezone: timeZone, mode: '5-part' })
  // An unknown time zone is found only here.
  cron.nextRun(new Date(0))
  return {
    next: (afterMs) => cron.nextRun(new Date(afterMs))?.getTime(),
    last: (atMs) => cron.previousRuns(1, new Date(atMs + 1))[0]?.getTime(),
  }
}
