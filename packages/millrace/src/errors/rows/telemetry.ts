import type { ErrorRows } from '../row.ts'

export const telemetryErrors = {
  MR_MONITOR_EVENT_TAKEN: {
    class: 'UsageError',
    retriable: false,
    message: ({ name }: { readonly name: string }) => `${name} is an event of Millrace already`,
    hint: 'Begin the name with a word of your application: `shop.order-paid`.',
  },
  MR_MONITOR_EVENT_NAME: {
    class: 'UsageError',
    retriable: false,
    message: ({ name }: { readonly name: string }) => `${name} is no name for an event`,
    hint: 'Write words of lower case with dots between, at least two: `orders.paid`.',
  },
  MR_METRICS_LISTEN: {
    class: 'ConfigError',
    retriable: false,
    message: ({
      host,
      port,
      reason,
    }: {
      readonly host: string
      readonly port: number
      readonly reason: string
    }) => `metrics cannot be served at ${host}:${port}: ${reason}`,
    hint: 'Set metrics.prometheus.port (MILLRACE_METRICS_PORT) to a free one; with health.port it is not needed at all.',
  },
  MR_METRICS_OFF: {
    class: 'UsageError',
    retriable: false,
    message: () => 'nothing is counted in this process, so there are no metrics to show',
    hint: 'Set `metrics: { collect: true }`, and start the worker or open the producer first.',
  },
  MR_TRACING_API_MISSING: {
    class: 'ConfigError',
    retriable: false,
    message: () => 'tracing is on, but @opentelemetry/api cannot be loaded',
    hint: 'Run `npm install @opentelemetry/api`, which your OpenTelemetry SDK needs as well, or set `tracing: false`.',
  },
  MR_SENTRY_MISSING: {
    class: 'ConfigError',
    retriable: false,
    message: () => '@sentry/node cannot be loaded',
    hint: 'Run `npm install @sentry/node`, or pass yours: `sentry({ sentry: Sentry })`.',
  },
} as const satisfies ErrorRows
