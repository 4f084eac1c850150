import { createRequire } from 'node:module'

import type { Metric, Registry } from 'prom-client'

import { Counter, Distribution, Gauge } from './cells.ts'
import type { MetricRow } from './define-metric.ts'
import type { Family, Recorder } from './recorder.ts'
import { prometheusName } from './table.ts'

/** The content type of `renderMetrics`: Prometheus' text format. */
export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8'

const require = createRequire(import.meta.url)

interface Value {
  readonly metricName?: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

export interface Exposition {
  render(): Promise<string>
}

/**
 * A registry of our own, so that metrics of the application in the default one stay apart. Its metrics hold nothing:
 * they are filled from the recorder's cells when somebody asks, since counting per message must be cheap and a
 * scrape need not.
 */
export function openExposition(recorder: Recorder, prefix: string): Exposition {
  // Loaded here: it costs a command line 40 ms.
  const prom = require('prom-client') as typeof import('prom-client')
  const registry: Registry = new prom.Registry()
  prom.collectDefaultMetrics({ register: registry })
  let families = new Map<MetricRow, Family>()
  for (const { row } of recorder.families()) {
    const name = prometheusName(row, prefix)
    const metric = {
      name,
      help: row.about,
      type: promType(row),
      aggregator: 'sum',
      get: () => Promise.resolve({ ...metric, values: valuesOf(name, families.get(row)) }),
    }
    // Any object that answers `get` is a metric to the registry; its type names the classes only.
    registry.registerMetric(metric as unknown as Metric)
  }
  return {
    render() {
      families = new Map(recorder.families().map((family) => [family.row, family]))
      return registry.metrics()
    },
  }
}

function promType({ type }: MetricRow): string {
  return type === 'counter' || type === 'gauge' ? type : 'histogram'
}

function valuesOf(name: string, family: Family | undefined): readonly Value[] {
  if (family === undefined) return []
  const { row } = family
  const values: Value[] = []
  for (const { values: labelValues, cell } of family.cells.values()) {
    const labels = Object.fromEntries(row.labels.map((label, at) => [label, labelValues[at] ?? '']))
    if (cell instanceof Counter) values.push({ labels, value: cell.total })
    if (cell instanceof Gauge) values.push({ labels, value: cell.value / scaleOf(row) })
    if (cell instanceof Distribution) values.push(...bucketsOf(name, cell, labels, scaleOf(row)))
  }
  return values
}

function bucketsOf(
  name: string,
  { bounds, counts, sum, count }: Distribution,
  labels: Readonly<Record<string, string>>,
  scale: number,
): readonly Value[] {
  let total = 0
  const buckets = bounds.map((bound, at) => {
    total += counts[at] ?? 0
    return { metricName: `${name}_bucket`, labels: { ...labels, le: bound / scale }, value: total }
  })
  return [
    ...buckets,
    { metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: count },
    { metricName: `${name}_sum`, labels, value: sum / scale },
    { metricName: `${name}_count`, labels, value: count },
  ]
}

/** Times are counted in milliseconds and shown in seconds. */
export function scaleOf({ type, unit }: MetricRow): number {
  return type === 'timer' || unit === 'seconds' ? 1000 : 1
}
