import { metricTable, prometheusName } from './table.ts'

/** A rule of Prometheus' alerting, as its rule files want it. */
export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: { readonly severity: 'warning' | 'critical' }
  readonly annotations: { readonly summary: string; readonly description: string }
}

/** What a rule is made from; `m` gives a metric's name in Prometheus, and knows the table alone. */
interface Watched {
  readonly alert: string
  readonly expr: (m: (name: string) => string) => string
  readonly for?: string
  readonly severity: 'warning' | 'critical'
  readonly summary: string
  /** What to do. */
  readonly description: string
}

/** The ten that docs/guides/monitoring.md explains, in its order; two of them are two rules. */
const watched: readonly Watched[] = [
  {
    alert: 'MillraceWorkerDown',
    expr: (m) => `absent(${m('worker.running')} == 1)`,
    for: '2m',
    severity: 'critical',
    summary: 'No worker runs.',
    description:
      'Its log says why it stopped; exit code 1 is a fault of configuration or a critical error.',
  },
  {
    alert: 'MillraceTimeLag',
    expr: (m) => `max by (group, topic) (${m('consumer.time_lag')}) > 60`,
    for: '1m',
    severity: 'warning',
    summary: '{{ $labels.group }} is {{ $value }} s late with {{ $labels.topic }}.',
    description:
      'Messages that fail, or handlers slower than their input: more members, or concurrency.',
  },
  {
    alert: 'MillraceLagGrows',
    expr: (m) => {
      const lag = `sum by (group, topic) (${m('consumer.broker_lag')})`
      const before = `sum by (group, topic) (${m('consumer.broker_lag')} offset 10m)`
      return `${lag} > ${before} and ${lag} > 1000`
    },
    for: '10m',
    severity: 'warning',
    summary: '{{ $labels.group }} falls behind with {{ $labels.topic }}.',
    description: 'Is the handler slower than the input, or does nobody run this group?',
  },
  {
    alert: 'MillracePartitionBlocked',
    expr: (m) => `max by (group, topic, partition) (${m('consumer.blocked')}) == 1`,
    severity: 'critical',
    summary: '{{ $labels.group }} stands still at {{ $labels.topic }}/{{ $labels.partition }}.',
    description: 'The log names offset and error: correct, deploy, or declare a dead letter topic.',
  },
  {
    alert: 'MillraceMessageStuck',
    expr: (m) => `increase(${m('consumer.stuck_offsets')}[10m]) > 0`,
    severity: 'warning',
    summary:
      'A message of {{ $labels.topic }}/{{ $labels.partition }} has been failing for minutes.',
    description: 'The log names offset and error; what is behind it waits.',
  },
  {
    alert: 'MillraceErrors',
    expr: (m) =>
      `sum by (group) (increase(${m('consumer.errors')}[10m])) > 0.05 * sum by (group) (increase(${m('consumer.messages')}[10m]))`,
    severity: 'warning',
    summary: 'More than 5 % of the attempts of {{ $labels.group }} fail.',
    description: 'Look at the service behind the handler; retries are on their way already.',
  },
  {
    alert: 'MillraceDeadLetters',
    expr: (m) => `sum by (group, topic) (increase(${m('deadletter.sent')}[10m])) > 0`,
    severity: 'warning',
    summary: '{{ $labels.group }} gave up messages of {{ $labels.topic }}.',
    description: 'millrace dead-letters show, correct, then redrive.',
  },
  {
    alert: 'MillraceSlowHandler',
    expr: (m) =>
      `histogram_quantile(0.95, sum by (le, consumer) (rate(${m('consumer.process')}_bucket[10m]))) > 10 or increase(${m('consumer.slow')}[10m]) > 0`,
    severity: 'warning',
    summary: 'Handlers of {{ $labels.consumer }} are slow.',
    description: 'Give it a timeout, or say slowAfter: false where it is meant.',
  },
  {
    alert: 'MillraceRebalances',
    expr: (m) => `max by (group) (increase(${m('group.rebalances')}[10m])) > 5`,
    severity: 'warning',
    summary: '{{ $labels.group }} does not come to rest.',
    description: 'Members that are killed and come back: memory, probes, blocked event loops.',
  },
  {
    alert: 'MillraceBrokersAway',
    expr: (m) => `max by (client, cluster) (${m('client.unreachable')}) == 1`,
    for: '1m',
    severity: 'critical',
    summary: 'No broker of {{ $labels.cluster }} answers {{ $labels.client }}.',
    description: 'The worker waits and goes on by itself.',
  },
  {
    alert: 'MillraceUndelivered',
    expr: (m) =>
      `increase(${m('producer.dropped')}[10m]) > 0 or increase(${m('producer.background_dropped')}[10m]) > 0 or ${m('producer.queued')} > 8000`,
    severity: 'critical',
    summary: '{{ $labels.client }} could not deliver what it sent.',
    description: 'What is given up is told to onUndelivered.',
  },
  {
    alert: 'MillraceOutboxWaits',
    expr: (m) => `max by (outbox) (${m('outbox.oldest')}) > 60`,
    for: '1m',
    severity: 'critical',
    summary: 'Rows of {{ $labels.outbox }} have waited for {{ $value }} s.',
    description: 'Does its relay run, and do the brokers answer it?',
  },
]

/** What to alarm at, with thresholds to begin with. @param prefix - the setting `metrics.prefix` */
export function alertRules(prefix?: string): readonly AlertRule[] {
  const nameOf = namesIn(prefix)
  return watched.map(({ alert, expr, severity, summary, description, ...more }) => ({
    alert,
    expr: expr(nameOf),
    ...(more.for === undefined ? {} : { for: more.for }),
    labels: { severity },
    annotations: { summary, description },
  }))
}

/** Prometheus' name of a row of the table; a name that is in no row is a fault of the caller. */
export function namesIn(prefix?: string): (name: string) => string {
  return (name) => {
    const row = metricTable.find((one) => one.name === name)
    if (row === undefined) throw new RangeError(`there is no metric ${name}`)
    return prometheusName(row, prefix)
  }
}
