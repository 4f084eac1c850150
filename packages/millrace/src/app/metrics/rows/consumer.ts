import { isFailure } from '../../../errors/index.ts'
import { events } from '../../../telemetry/index.ts'
import { defineMetric, definePartitionGauge, on, type MetricRow } from '../define-metric.ts'

const place = ['client', 'group', 'consumer', 'topic', 'partition'] as const

/** Handlers, what became of messages, and how far behind a worker is. */
export const consumerMetrics: readonly MetricRow[] = [
  defineMetric(
    {
      name: 'consumer.messages',
      type: 'counter',
      about: 'Messages that handlers were given, each attempt counted.',
      labels: place,
    },
    on(events.jobFinished, ({ messages }) => messages),
  ),
  defineMetric(
    {
      name: 'consumer.process',
      type: 'timer',
      about: 'Duration of a handler call, until what it sent was acknowledged.',
      labels: place,
    },
    on(events.jobFinished, ({ durationMs }) => durationMs),
  ),
  defineMetric(
    {
      name: 'consumer.batch_size',
      type: 'counts',
      about: 'Messages of a handler call.',
      labels: ['client', 'group', 'consumer', 'topic'],
    },
    on(events.jobFinished, ({ messages }) => messages),
  ),
  definePartitionGauge(
    {
      name: 'consumer.lag',
      about: 'Messages of a partition that are not finished, as its worker sees it.',
    },
    ({ lag }) => lag,
  ),
  definePartitionGauge(
    {
      name: 'consumer.time_lag',
      unit: 'seconds',
      about: 'Age of the oldest message of a partition that is not finished; 0 without any.',
    },
    ({ timeLagMs }) => timeLagMs,
  ),
  definePartitionGauge(
    {
      name: 'consumer.broker_lag',
      about: 'Messages behind the committed offset, as the brokers know it; asked every 30 s.',
    },
    ({ brokerLag }) => brokerLag,
  ),
  definePartitionGauge(
    {
      name: 'consumer.position',
      about: 'Next offset to be taken.',
    },
    ({ position }) => position,
  ),
  definePartitionGauge(
    {
      name: 'consumer.paused',
      about: '1 while the partition is paused or waits for a back-off, else 0.',
    },
    ({ state }) => (state === 'paused' ? 1 : 0),
  ),
  definePartitionGauge(
    {
      name: 'consumer.blocked',
      about: '1 while the partition stays at a message that cannot succeed, else 0.',
    },
    ({ state }) => (state === 'blocked' ? 1 : 0),
  ),
  defineMetric(
    {
      name: 'consumer.errors',
      type: 'counter',
      about: 'Attempts that failed; what a handler asked for by retry() or deadLetter() is none.',
      labels: place,
    },
    on(events.consumerFailed, ({ error }) =>
      isFailure(error, 'MR_APP_RETRY_ASKED', 'MR_APP_DEAD_LETTER_ASKED') ? undefined : 1,
    ),
  ),
  defineMetric(
    {
      name: 'consumer.retries',
      type: 'counter',
      about: 'Handler calls that were not the first for their message.',
      labels: place,
    },
    on(events.consumerRetrying),
  ),
  defineMetric(
    {
      name: 'consumer.pause',
      type: 'timer',
      about: 'Length of pauses: when one has ended, and of a back-off when it begins.',
      labels: place,
    },
    on(events.partitionResumed, ({ pausedMs }) => (pausedMs > 0 ? pausedMs : undefined)),
    on(events.consumerFailed, ({ nextInMs }) => nextInMs),
  ),
  defineMetric(
    {
      name: 'consumer.seeks',
      type: 'counter',
      about: 'Positions that a consumer moved by hand.',
      labels: place,
    },
    on(events.partitionSeek),
  ),
  defineMetric(
    {
      name: 'consumer.slow',
      type: 'counter',
      about: 'Handler calls that took longer than `slowAfter`.',
      labels: place,
    },
    on(events.jobSlow),
  ),
  defineMetric(
    {
      name: 'consumer.stuck',
      type: 'counter',
      about: 'Handler calls that were left behind because they ignored their signal.',
      labels: place,
    },
    on(events.jobStuck),
  ),
  defineMetric(
    {
      name: 'consumer.skipped',
      type: 'counter',
      about: 'Messages that were finished without being handled, as declared or returned.',
      labels: place,
    },
    on(events.consumerSkipped),
  ),
  defineMetric(
    {
      name: 'consumer.filtered',
      type: 'counter',
      about: 'Messages that a filter did not let through.',
      labels: place,
    },
    on(events.consumerFiltered),
  ),
  defineMetric(
    {
      name: 'consumer.throttled',
      type: 'counter',
      about: 'Times that a partition had to wait for its throttle.',
      labels: place,
    },
    on(events.consumerThrottled),
  ),
  defineMetric(
    {
      name: 'consumer.duplicates',
      type: 'counter',
      about: 'Messages that the inbox knew already.',
      labels: place,
    },
    on(events.consumerDuplicate),
  ),
  defineMetric(
    {
      name: 'consumer.stuck_offsets',
      type: 'counter',
      about: 'Messages that had been failing for longer than `health.stuckAfter`, each once.',
      labels: place,
    },
    on(events.partitionStuck),
  ),
  defineMetric(
    {
      name: 'retry_topic.sent',
      type: 'counter',
      about: 'Failing messages that were moved to a retry topic.',
      labels: place,
    },
    on(events.retryTopicSent),
  ),
  defineMetric(
    {
      name: 'retry_topic.failed',
      type: 'counter',
      about: 'Copies that a retry topic did not take; they are tried again.',
      labels: place,
    },
    on(events.retryTopicFailed),
  ),
  defineMetric(
    {
      name: 'deadletter.sent',
      type: 'counter',
      about: 'Messages that went to a dead letter topic.',
      labels: place,
    },
    on(events.deadletterSent),
  ),
  defineMetric(
    {
      name: 'deadletter.failed',
      type: 'counter',
      about: 'Dead letters that could not be written; they are tried again.',
      labels: place,
    },
    on(events.deadletterFailed),
  ),
  defineMetric(
    {
      name: 'deadletter.storms',
      type: 'counter',
      about: 'Times that a partition paused because it sent too many dead letters.',
      labels: place,
    },
    on(events.deadletterStorm),
  ),
  defineMetric(
    {
      name: 'deadletter.redriven',
      type: 'counter',
      about: 'Dead letters that were sent back.',
      labels: ['client', 'job'],
    },
    on(events.deadletterRedriven, ({ messages }) => messages),
  ),
]
