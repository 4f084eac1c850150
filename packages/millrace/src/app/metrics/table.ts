import type { MetricRow } from './define-metric.ts'
import { clientMetrics } from './rows/client.ts'
import { consumerMetrics } from './rows/consumer.ts'
import { processMetrics } from './rows/process.ts'
import { producerMetrics } from './rows/producer.ts'

/** Every metric. Prometheus, StatsD, and docs/reference/metrics.md come from here. */
export const metricTable: readonly MetricRow[] = [
  ...consumerMetrics,
  ...producerMetrics,
  ...clientMetrics,
  ...processMetrics,
]

/** `consumer.process` is `millrace_consumer_process_seconds`. */
export function prometheusName({ name, type, unit }: MetricRow, prefix = 'millrace'): string {
  const words = [prefix, ...name.split('.')].filter((word) => word !== '').join('_')
  const base = words.replaceAll(/[^a-zA-Z0-9_:]/g, '_')
  switch (type) {
    case 'timer':
      return `${base}_seconds`
    case 'sizes':
      return `${base}_bytes`
    case 'counts':
      return base
    case 'gauge':
      return unit === undefined ? base : `${base}_${unit}`
    case 'counter':
      return unit === undefined ? `${base}_total` : `${base}_${unit}_total`
  }
}
