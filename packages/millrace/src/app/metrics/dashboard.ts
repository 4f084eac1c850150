import { namesIn } from './alerts.ts'

type Names = (name: string) => string

interface Panel {
  readonly title: string
  readonly unit: 's' | 'short' | 'ops' | 'bytes'
  /** Expression and legend. */
  readonly lines: (m: Names) => readonly (readonly [expr: string, legend: string])[]
}

const quantiles = ['0.5', '0.95', '0.99']

/** Quantiles of a timer by one label. */
function spread(metric: string, by: string): Panel['lines'] {
  return (m) =>
    quantiles.map((quantile) => [
      `histogram_quantile(${quantile}, sum by (le, ${by}) (rate(${m(metric)}_bucket[$__rate_interval])))`,
      `{{${by}}} p${Math.round(Number(quantile) * 100)}`,
    ])
}

/** So many a second, by one label. */
function rate(metric: string, by: string): Panel['lines'] {
  return (m) => [[`sum by (${by}) (rate(${m(metric)}[$__rate_interval]))`, `{{${by}}}`]]
}

function most(
  metric: string,
  by: string,
  legend = `{{${by.split(', ').join('}} {{')}}}`,
): Panel['lines'] {
  return (m) => [[`max by (${by}) (${m(metric)})`, legend]]
}

const panels: readonly Panel[] = [
  { title: 'Time lag', unit: 's', lines: most('consumer.time_lag', 'group, topic') },
  {
    title: 'Lag, as the brokers know it',
    unit: 'short',
    lines: (m) => [[`sum by (group, topic) (${m('consumer.broker_lag')})`, '{{group}} {{topic}}']],
  },
  { title: 'Messages handled', unit: 'ops', lines: rate('consumer.messages', 'consumer') },
  { title: 'Processing time', unit: 's', lines: spread('consumer.process', 'consumer') },
  { title: 'Errors', unit: 'ops', lines: rate('consumer.errors', 'consumer') },
  { title: 'Retries', unit: 'ops', lines: rate('consumer.retries', 'consumer') },
  { title: 'Dead letters', unit: 'ops', lines: rate('deadletter.sent', 'topic') },
  {
    title: 'Partitions that stand',
    unit: 'short',
    lines: (m) => [
      [`sum by (group) (${m('consumer.blocked')})`, '{{group}} blocked'],
      [`sum by (group) (${m('consumer.paused')})`, '{{group}} paused'],
    ],
  },
  { title: 'Messages sent', unit: 'ops', lines: rate('producer.messages', 'topic') },
  { title: 'Delivery', unit: 's', lines: spread('producer.delivery', 'topic') },
  {
    title: 'Given up, and waiting to be sent',
    unit: 'short',
    lines: (m) => [
      [
        `sum by (topic) (increase(${m('producer.dropped')}[$__rate_interval]))`,
        '{{topic}} given up',
      ],
      [`sum by (client) (${m('producer.queued')})`, '{{client}} queued'],
    ],
  },
  { title: 'Producer buffer', unit: 'bytes', lines: most('producer.buffer', 'client') },
  { title: 'Rebalances', unit: 'ops', lines: rate('group.rebalances', 'group') },
  { title: 'Requests', unit: 's', lines: spread('client.request', 'api') },
  { title: 'Brokers away', unit: 'short', lines: most('client.unreachable', 'client, cluster') },
  { title: 'Event loop blocked', unit: 's', lines: spread('worker.loop_delay', 'client') },
]

const columns = 2
const width = 12
const height = 8

/** A dashboard for Grafana, to be imported; it asks for its data source. */
export function grafanaDashboard(prefix?: string): object {
  const nameOf = namesIn(prefix)
  const datasource = { type: 'prometheus', uid: '${datasource}' }
  return {
    title: 'Millrace',
    uid: 'millrace',
    tags: ['kafka', 'millrace'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [{ name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source' }],
    },
    panels: panels.map(({ title, unit, lines }, at) => ({
      id: at + 1,
      title,
      type: 'timeseries',
      datasource,
      gridPos: {
        x: (at % columns) * width,
        y: Math.floor(at / columns) * height,
        w: width,
        h: height,
      },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: lines(nameOf).map(([expr, legendFormat], index) => ({
        refId: String.fromCodePoint(65 + index),
        datasource,
        expr,
        legendFormat,
      })),
    })),
  }
}
