import { defineOptions } from '../../config/index.ts'

/** What is counted, and who is told. Nothing is counted while nobody is. */
export const metricsOptions = defineOptions({
  'metrics.collect': {
    type: 'flag',
    default: false,
    about:
      'Count, so that `renderMetrics` has something to say; on by itself with any of the others.',
  },
  'metrics.prefix': {
    type: 'text',
    default: 'millrace',
    about: 'First word of every metric’s name.',
  },
  'metrics.prometheus.port': {
    type: 'number',
    env: 'MILLRACE_METRICS_PORT',
    about:
      'A worker serves GET /metrics there; 0 takes any free port. Not needed with `health.port`, which serves it too.',
  },
  'metrics.prometheus.host': {
    type: 'text',
    default: '127.0.0.1',
    env: 'MILLRACE_METRICS_HOST',
    about: 'Where it listens; 0.0.0.0 for a Prometheus elsewhere.',
  },
  'metrics.statsd.host': {
    type: 'text',
    env: 'STATSD_HOST',
    about: 'A StatsD server, which is told each `metrics.interval`. Labels are words of the name.',
  },
  'metrics.statsd.port': {
    type: 'number',
    default: 8125,
    env: 'STATSD_PORT',
    about: 'Its UDP port.',
  },
  'metrics.dogstatsd.host': {
    type: 'text',
    env: 'DD_AGENT_HOST',
    about:
      'A Datadog agent, which is told each `metrics.interval`. Labels are tags; DD_ENV, DD_SERVICE and DD_VERSION too.',
  },
  'metrics.dogstatsd.port': {
    type: 'number',
    default: 8125,
    env: 'DD_DOGSTATSD_PORT',
    about: 'Its UDP port.',
  },
  'metrics.tags': {
    type: 'list',
    default: [],
    about: 'Tags behind every DogStatsD line: `region:north`.',
  },
  'metrics.interval': {
    type: 'duration',
    default: '10s',
    about: 'Between two tellings of StatsD.',
  },
})
