import { failure } from '../../errors/index.ts'
import { parseDuration } from '../../kit/index.ts'
import type { SeekTo } from '../context/context.ts'
import type { SeekTarget } from '../ports.ts'

/** @throws MR_APP_SEEK_UNKNOWN */
export function seekTarget(to: SeekTo, nowMs: number): SeekTarget {
  if (to === 'earliest' || to === 'latest') return to
  if (to instanceof Date) {
    if (Number.isNaN(to.getTime())) throw failure('MR_APP_SEEK_UNKNOWN', { to: 'an invalid date' })
    return { timestampMs: to.getTime() }
  }
  if (typeof to === 'number') {
    if (Number.isSafeInteger(to) && to >= 0) return to
    throw failure('MR_APP_SEEK_UNKNOWN', { to: String(to) })
  }
  const ageMs = to.startsWith('-') ? parseDuration(to.slice(1)) : undefined
  if (ageMs === undefined) throw failure('MR_APP_SEEK_UNKNOWN', { to })
  return { timestampMs: nowMs - ageMs }
}
