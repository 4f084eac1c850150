import { parseDuration } from '../../kit/index.ts'
import type { PacingOptions } from './options.ts'
import type { Pacing, PacingPlace } from './pacing.ts'
import { PartitionPacing, type PacingRules } from './partition-pacing.ts'
import { Throttle } from './policy.ts'
import { durationOf } from './validate.ts'

export interface PacingSurroundings {
  readonly consumer: string
  readonly group: string
  readonly groupId: string
  readonly isRetryTopic: (topic: string) => boolean
  /** What stands around a pacing, when something does. */
  readonly around?: (pacing: Pacing, place: PacingPlace) => Pacing
}

export type MakePacing = (place: PacingPlace) => Pacing

/**
 * The feature object of every consumer: options that have passed validation. It is there even with every option off, since a
 * copy that was redriven for another group must not be handled here.
 */
export function planPacing(options: PacingOptions, place: PacingSurroundings): MakePacing {
  const { consumer, group, groupId, isRetryTopic } = place
  const { filter, filterRaw, expired = 'skip' } = options
  const rules: PacingRules = {
    consumer,
    group,
    groupId,
    filter,
    filterRaw,
    expireAfterMs: durationOf(options.expireAfter),
    expired,
    delayMs: durationOf(options.delay),
  }
  const throttle = options.throttle === false ? undefined : options.throttle
  const make = (): Throttle | undefined =>
    throttle && new Throttle(throttle.limit, parseDuration(throttle.per) ?? 0)
  // One for all partitions that this worker has.
  const shared = throttle?.scope === 'worker' ? make() : undefined
  return (at) => {
    const isRetry = isRetryTopic(at.topic)
    const pacing = new PartitionPacing(rules, isRetry ? undefined : (shared ?? make()), isRetry)
    return place.around?.(pacing, at) ?? pacing
  }
}

export type { FilterContext, PacingOptions, ThrottleOptions } from './options.ts'
export type { Pacing, PacingPlace } from './pacing.ts'
export { pacingFaults } from './validate.ts'
