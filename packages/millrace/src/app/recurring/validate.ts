import { parseDuration } from '../../kit/index.ts'
import { cronTimes } from './cron.ts'
import { scheduleOf, type RecurringJob, type RecurringSchedule } from './options.ts'

/** Every fault of an app's recurring jobs, with its path. */
export function recurringFaults(
  declared: readonly RecurringJob[] | RecurringSchedule | undefined,
): string[] {
  if (declared === undefined) return []
  const { version, tick, jobs } = scheduleOf(declared)
  if (!Array.isArray(jobs)) return ['app.recurring: is neither a list of jobs nor { jobs }']
  const faults: string[] = []
  if (!Number.isSafeInteger(version) || version < 0)
    faults.push(`app.recurring.version: ${version} is not a whole number from 0 on`)
  const tickMs = parseDuration(tick)
  if (tickMs === undefined || tickMs <= 0 || tickMs > 60_000)
    faults.push(`app.recurring.tick: ${tick} is not a duration up to a minute; write 15s`)
  const names = new Set<string>()
  for (const [index, job] of jobs.entries()) {
    if ((job as Partial<RecurringJob> | undefined)?.kind !== 'recurring') {
      faults.push(`app.recurring[${index}]: is not what defineRecurring returns`)
      continue
    }
    faults.push(...jobFaults(job, `recurring.${job.name}`))
    if (names.has(job.name)) faults.push(`recurring.${job.name}: is declared twice`)
    names.add(job.name)
  }
  return faults
}

function jobFaults({ name, cron, timeZone, run, missed }: RecurringJob, path: string): string[] {
  const faults: string[] = []
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(name))
    faults.push(`${path}: a name has 1 to 100 characters of A-Z a-z 0-9 . _ -`)
  if (typeof run !== 'function') faults.push(`${path}.run: is not a function`)
  if (missed !== 'once' && missed !== 'none')
    faults.push(`${path}.missed: ${String(missed)} is neither once nor none`)
  try {
    const first = cronTimes(cron, timeZone).next(Date.UTC(2026, 0, 1))
    if (first === undefined) faults.push(`${path}.cron: '${cron}' never comes`)
  } catch (error) {
    const isZone = /timezone/i.test(String(error))
    faults.push(
      isZone
        ? `${path}.timeZone: '${timeZone}' is no time zone; write Europe/Berlin`
        : `${path}.cron: '${cron}' is no expression of five fields, as 0 3 * * *`,
    )
  }
  return faults
}
