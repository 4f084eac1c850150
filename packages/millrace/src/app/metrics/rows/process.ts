import { events } from '../../../telemetry/index.ts'
import { defineMetric, on, type MetricRow } from '../define-metric.ts'

/** The process, and what runs beside consumers. */
export const processMetrics: readonly MetricRow[] = [
  defineMetric(
    {
      name: 'worker.running',
      type: 'gauge',
      about: '1 while the worker runs, 0 before and from the beginning of its stop.',
      labels: ['client'],
    },
    on(events.appState, ({ state }) => (state === 'running' ? 1 : 0)),
  ),
  defineMetric(
    {
      name: 'worker.loop_delay',
      type: 'timer',
      about: 'Times for which the event loop was blocked, when longer than a second.',
      labels: ['client'],
    },
    on(events.processLoopDelay, ({ delayMs }) => delayMs),
  ),
  defineMetric(
    {
      name: 'worker.errors',
      type: 'counter',
      about: 'Errors, each once, by the place where they came up.',
      labels: ['client', 'type'],
    },
    on(events.error),
  ),
  defineMetric(
    {
      name: 'outbox.rows',
      type: 'gauge',
      about: 'Rows of an outbox that are not relayed yet; counted up to 100,000.',
      labels: ['client', 'outbox'],
    },
    on(events.outboxWaiting, ({ rows }) => rows),
  ),
  defineMetric(
    {
      name: 'outbox.oldest',
      type: 'gauge',
      unit: 'seconds',
      about: 'Age of the oldest row that is not relayed yet.',
      labels: ['client', 'outbox'],
    },
    on(events.outboxWaiting, ({ oldestMs }) => oldestMs),
  ),
  defineMetric(
    {
      name: 'outbox.relayed',
      type: 'counter',
      about: 'Rows that were acknowledged and deleted.',
      labels: ['client', 'outbox'],
    },
    on(events.outboxRelayed, ({ rows }) => rows),
  ),
  defineMetric(
    {
      name: 'outbox.failed',
      type: 'counter',
      about: 'Rows that were refused for good.',
      labels: ['client', 'outbox'],
    },
    on(events.outboxFailed),
  ),
  defineMetric(
    {
      name: 'recurring.run',
      type: 'timer',
      about: 'Duration of a recurring job, however it ended.',
      labels: ['client', 'job'],
    },
    on(events.recurringRan, ({ durationMs }) => durationMs),
    on(events.recurringFailed, ({ durationMs }) => durationMs),
  ),
  defineMetric(
    {
      name: 'recurring.failed',
      type: 'counter',
      about: 'Runs of a recurring job that threw.',
      labels: ['client', 'job'],
    },
    on(events.recurringFailed),
  ),
  defineMetric(
    {
      name: 'schedule.sent',
      type: 'counter',
      about: 'Scheduled messages that were sent.',
      labels: ['client', 'topic'],
    },
    on(events.scheduleSent),
  ),
  defineMetric(
    {
      name: 'schedule.lateness',
      type: 'timer',
      about: 'From the time a message was due to its acknowledgement.',
      labels: ['client', 'topic'],
    },
    on(events.scheduleSent, ({ lateMs }) => lateMs),
  ),
]
