import { parseDuration, type Duration } from '../../kit/index.ts'
import type { PacingOptions } from './options.ts'

/** Largest ring of admission times that a throttle keeps: 8 bytes each, for each partition. */
const mostPerWindow = 1_000_000

/** Faults in the pacing options of one consumer, each with its path. */
export function pacingFaults(
  options: PacingOptions,
  { hasDeadLetter, path }: { readonly hasDeadLetter: boolean; readonly path: string },
): string[] {
  const faults: string[] = []
  for (const name of ['delay', 'expireAfter'] as const) {
    const fault = durationFault(options[name])
    if (fault !== undefined) faults.push(`${path}.${name}: ${fault}`)
  }
  const { filter, filterRaw, throttle, expired } = options
  if (filter !== undefined && typeof filter !== 'function')
    faults.push(`${path}.filter: is not a function`)
  if (filterRaw !== undefined && typeof filterRaw !== 'function')
    faults.push(`${path}.filterRaw: is not a function`)
  if (throttle !== undefined && throttle !== false) faults.push(...throttleFaults(throttle, path))

  const expireAfterMs = durationOf(options.expireAfter)
  const delayMs = durationOf(options.delay)
  if (expireAfterMs !== undefined && delayMs !== undefined && delayMs >= expireAfterMs)
    faults.push(
      `${path}.expireAfter: a delay of ${options.delay} lets every message expire before it is handled`,
    )
  if (expired !== undefined && expired !== 'skip' && expired !== 'deadLetter')
    faults.push(`${path}.expired: ${String(expired)} is neither 'skip' nor 'deadLetter'`)
  if (expired !== undefined && expireAfterMs === undefined)
    faults.push(`${path}.expired: nothing expires; say expireAfter as well`)
  if (expired === 'deadLetter' && !hasDeadLetter)
    faults.push(`${path}.expired: 'deadLetter' needs a dead letter topic; add deadLetter: true`)
  return faults
}

function throttleFaults(
  { limit, per, scope }: Exclude<PacingOptions['throttle'], undefined | false>,
  path: string,
): string[] {
  const faults: string[] = []
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= mostPerWindow))
    faults.push(`${path}.throttle.limit: ${limit} is not a number from 1 to ${mostPerWindow}`)
  const perMs = parseDuration(per)
  if (perMs === undefined || perMs === 0)
    faults.push(`${path}.throttle.per: ${per} is not a duration; write 1s, 1m`)
  if (scope !== undefined && scope !== 'partition' && scope !== 'worker')
    faults.push(`${path}.throttle.scope: ${String(scope)} is neither 'partition' nor 'worker'`)
  return faults
}

function durationFault(written: Duration | false | undefined): string | undefined {
  if (written === undefined || written === false || parseDuration(written) !== undefined)
    return undefined
  return `${written} is not a duration; write 500ms, 30s, 5m`
}

/** Undefined for what is off, or no duration. */
export function durationOf(written: Duration | false | undefined): number | undefined {
  return written === undefined || written === false ? undefined : parseDuration(written)
}
