import { events } from '../../../telemetry/index.ts'
import { defineMetric, defineProcessGauge, on, type MetricRow } from '../define-metric.ts'

/** What was sent, how long it took, and what was not delivered. */
export const producerMetrics: readonly MetricRow[] = [
  defineMetric(
    {
      name: 'producer.messages',
      type: 'counter',
      about: 'Messages that a broker acknowledged.',
      labels: ['client', 'topic', 'partition'],
    },
    on(events.producerAppended, ({ count }) => count),
  ),
  defineMetric(
    {
      name: 'producer.sent',
      type: 'counter',
      unit: 'bytes',
      about: 'Bytes of record batches that were acknowledged, compressed as they left.',
      labels: ['client', 'topic'],
    },
    on(events.producerAppended, ({ bytes }) => bytes),
  ),
  defineMetric(
    {
      name: 'producer.message_size',
      type: 'sizes',
      about: 'Mean size of a message in its batch, compressed as it left.',
      labels: ['client', 'topic'],
    },
    on(events.producerAppended, ({ bytes, count }) => bytes / count),
  ),
  defineMetric(
    {
      name: 'producer.batch_size',
      type: 'counts',
      about: 'Messages in a batch.',
      labels: ['client', 'topic'],
    },
    on(events.producerAppended, ({ count }) => count),
  ),
  defineMetric(
    {
      name: 'producer.delivery',
      type: 'timer',
      about: 'From the first send of a batch to its acknowledgement, retries included.',
      labels: ['client', 'topic'],
    },
    on(events.producerAppended, ({ deliveryMs }) => deliveryMs),
  ),
  defineMetric(
    {
      name: 'producer.ack_delay',
      type: 'timer',
      about: 'From the last request of a batch to its acknowledgement: what the broker took.',
      labels: ['client', 'topic'],
    },
    on(events.producerAppended, ({ ackMs }) => ackMs),
  ),
  defineMetric(
    {
      name: 'producer.attempts',
      type: 'counts',
      about: 'Attempts until a batch was acknowledged.',
      labels: ['client', 'topic'],
    },
    on(events.producerAppended, ({ attempts }) => attempts),
  ),
  defineMetric(
    {
      name: 'producer.buffer',
      type: 'gauge',
      unit: 'bytes',
      about: 'Bytes that were sent and not acknowledged, at the last acknowledgement.',
      labels: ['client'],
    },
    on(events.producerAppended, ({ bufferedBytes }) => bufferedBytes),
  ),
  defineMetric(
    {
      name: 'producer.buffer_limit',
      type: 'gauge',
      unit: 'bytes',
      about: 'How much the buffer takes: `producer.buffer`.',
      labels: ['client'],
    },
    on(events.producerAppended, ({ bufferBytes }) => bufferBytes),
  ),
  defineProcessGauge(
    {
      name: 'producer.queued',
      about: 'Messages of background delivery without a verdict.',
    },
    ({ queued }) => queued,
  ),
  defineMetric(
    {
      name: 'producer.retries',
      type: 'counter',
      about: 'Batches that were not acknowledged and were sent again.',
      labels: ['client', 'topic', 'partition'],
    },
    on(events.producerRetried),
  ),
  defineMetric(
    {
      name: 'producer.overflows',
      type: 'counter',
      about: 'Sends that had to wait because the buffer was full.',
      labels: ['client', 'topic'],
    },
    on(events.producerBufferFull),
  ),
  defineMetric(
    {
      name: 'producer.queue_overflows',
      type: 'counter',
      about: 'Messages that background delivery refused because its queue was full.',
      labels: ['client', 'topic'],
    },
    on(events.producerQueueFull),
  ),
  defineMetric(
    {
      name: 'producer.dropped',
      type: 'counter',
      about: 'Messages that were given up; each send was told.',
      labels: ['client', 'topic', 'partition'],
    },
    on(events.producerFailed, ({ count }) => count),
  ),
  defineMetric(
    {
      name: 'producer.background_dropped',
      type: 'counter',
      about: 'Messages of background delivery that were given up.',
      labels: ['client', 'topic'],
    },
    on(events.producerBackgroundFailed, ({ messages }) => messages),
  ),
  defineMetric(
    {
      name: 'producer.undelivered',
      type: 'counter',
      about: 'Messages that were not acknowledged when their producer closed.',
      labels: ['client'],
    },
    on(events.producerUndelivered, ({ messages }) => messages),
  ),
]
