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
  consumerThrottled: defineEvent<
    ConsumerPlace & { readonly offset: number; readonly untilMs: number }
  >('consumer.throttled', 'A partition waits because its throttle lets nothing through for now.'),
}
