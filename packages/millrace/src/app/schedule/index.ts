import type { ResolvedConfig } from '../config/resolve-config.ts'
import type { Runnable } from '../ports.ts'
import { Scheduler } from './scheduler.ts'

export {
  defineSchedule,
  type Schedule,
  type ScheduleOptions,
  type SendAtOptions,
} from './define-schedule.ts'

/** What sends the messages of an app's schedules. */
export function scheduleRunnables({ app, options, source }: ResolvedConfig): readonly Runnable[] {
  const clientId = options.clientId ?? 'millrace'
  const { session: sessionTimeoutMs, heartbeat: heartbeatIntervalMs } = options
  return (app.schedules ?? []).map((schedule) => {
    const groupId = source.groupId?.(clientId, schedule.name) ?? `${clientId}_${schedule.name}`
    return new Scheduler(schedule, { groupId, sessionTimeoutMs, heartbeatIntervalMs })
  })
}
