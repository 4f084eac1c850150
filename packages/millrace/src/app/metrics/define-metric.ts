import type { TelemetryEvent } from '../../telemetry/index.ts'

/** How many, how much now, how long, how large: what a metric is decides how each output writes it. */
export type MetricType = 'counter' | 'gauge' | 'timer' | 'sizes' | 'counts'

/** Which field of a payload holds a label. `client` is the application's client id where a payload has none. */
export const labelFields = {
  client: 'clientId',
  cluster: 'cluster',
  broker: 'broker',
  api: 'api',
  group: 'groupId',
  consumer: 'consumer',
  topic: 'topic',
  partition: 'partition',
  type: 'type',
  reason: 'reason',
  outbox: 'outbox',
  job: 'job',
} as const

export type Label = keyof typeof labelFields

/** Labels that a payload can fill. */
type LabelOf<P> =
  | 'client'
  | { [L in Label]: (typeof labelFields)[L] extends keyof P ? L : never }[Label]

/** Where the numbers of a metric come from; undefined leaves an event out. */
export interface MetricSource {
  readonly event: TelemetryEvent<object>
  readonly measure: (payload: object) => number | undefined
}

/** What a worker knows of one of its partitions when somebody asks. */
export interface PartitionReading {
  readonly clientId: string
  readonly groupId: string
  /** The consumer's name. */
  readonly consumer: string
  readonly topic: string
  readonly partition: number
  /** Messages that are not finished. */
  readonly lag: number
  /** Age of the oldest message that is not finished; 0 without any. */
  readonly timeLagMs: number
  /** Messages behind the committed offset, as the brokers know it; undefined until they were asked. */
  readonly brokerLag: number | undefined
  readonly position: number
  readonly state: string
}

/** What the process knows of itself when somebody asks. */
export interface ProcessReading {
  readonly clientId: string
  /** Messages of background delivery without a verdict. */
  readonly queued: number
}

/**
 * One metric. Prometheus, StatsD and the reference page are made from these rows.
 *
 * - `name` has words with dots: StatsD's name behind the prefix. Prometheus' has `_` instead, and the unit at its end.
 * - A timer is measured in milliseconds; Prometheus shows seconds.
 */
export interface MetricRow {
  readonly name: string
  readonly type: MetricType
  /** `bytes` for a gauge or counter of bytes, `seconds` for a gauge of milliseconds. */
  readonly unit?: 'bytes' | 'seconds'
  readonly about: string
  readonly labels: readonly Label[]
  readonly sources: readonly MetricSource[]
  /** Read when somebody asks, instead of from events. */
  readonly partition?: (reading: PartitionReading) => number | undefined
  readonly process?: (reading: ProcessReading) => number
}

/** Events of one kind as a source; `P` is remembered for the labels that they can fill. */
export interface EventSource<P extends object> {
  readonly source: MetricSource
  readonly payload?: P
}

/** A source that counts events, or measures something of each. */
export function on<P extends object>(
  event: TelemetryEvent<P>,
  measure: (payload: P) => number | undefined = () => 1,
): EventSource<P> {
  return { source: { event, measure: measure as never } }
}

type PayloadOf<S> = S extends EventSource<infer P> ? P : never

/** A metric that events move. Its labels are such that every event of it can fill them. */
export function defineMetric<const S extends readonly EventSource<object>[]>(
  row: Omit<MetricRow, 'labels' | 'sources' | 'partition' | 'process'> & {
    readonly labels: readonly LabelOf<PayloadOf<S[number]>>[]
  },
  ...from: S
): MetricRow {
  return { ...row, sources: from.map(({ source }) => source) }
}

const partitionLabels = ['client', 'group', 'consumer', 'topic', 'partition'] as const

/** A metric of each partition that the process holds, read when somebody asks. */
export function definePartitionGauge(
  row: { readonly name: string; readonly about: string; readonly unit?: 'seconds' },
  partition: (reading: PartitionReading) => number | undefined,
): MetricRow {
  return { ...row, type: 'gauge', labels: partitionLabels, sources: [], partition }
}

/** A metric of the process, read when somebody asks. */
export function defineProcessGauge(
  row: { readonly name: string; readonly about: string },
  process: (reading: ProcessReading) => number,
): MetricRow {
  return { ...row, type: 'gauge', labels: ['client'], sources: [], process }
}
