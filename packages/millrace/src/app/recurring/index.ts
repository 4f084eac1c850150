import type { ResolvedConfig } from '../config/resolve-config.ts'
import type { Runnable } from '../ports.ts'
import { scheduleOf } from './options.ts'
import { recurringGroup, recurringTopics } from './records.ts'
import { RecurringRunner } from './runner.ts'

export { openRecurring, type Recurring, type RecurringStatus } from './open-recurring.ts'
export {
  defineRecurring,
  type RecurringContext,
  type RecurringJob,
  type RecurringOptions,
  type RecurringSchedule,
  type RunReason,
} from './options.ts'
export type { RunRecord } from './records.ts'

/** What runs an app's recurring jobs; nothing when it has none. */
export function recurringRunnables({ app, options, source }: ResolvedConfig): readonly Runnable[] {
  const schedule = scheduleOf(app.recurring)
  if (schedule.jobs.length === 0) return []
  const clientId = options.clientId ?? 'millrace'
  const groupId = source.groupId?.(clientId, recurringGroup) ?? `${clientId}_${recurringGroup}`
  const { session: sessionTimeoutMs, heartbeat: heartbeatIntervalMs } = options
  const group = { groupId, sessionTimeoutMs, heartbeatIntervalMs }
  return [new RecurringRunner(schedule, recurringTopics(clientId), group)]
}
