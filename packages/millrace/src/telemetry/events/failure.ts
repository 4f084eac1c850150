import { defineEvent } from '../define-event.ts'
import type { ConsumerPlace } from './app.ts'

export const failureEvents = {
  consumerFiltered: defineEvent<
    ConsumerPlace & {
      readonly offset: number
      /** `filter`, `filterRaw`, or `only-group`: a copy that was redriven for another group. */
      readonly by: string
    }
  >('consumer.filtered', 'A message was finished because a filter did not let it through.'),
  deadletterRedriven: defineEvent<{
    /** The group that keeps the job's progress. */
    readonly job: string
    readonly from: string
    readonly partition: number
    readonly messages: number
  }>('deadletter.redriven', 'A batch of dead letters was sent back and acknowledged.'),
  consumerThrottled: defineEvent<
    ConsumerPlace & { readonly offset: number; readonly untilMs: number }
  >('consumer.throttled', 'A partition waits because its throttle lets nothing through for now.'),
}
