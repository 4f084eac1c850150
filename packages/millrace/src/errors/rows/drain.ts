import type { ErrorRows } from '../row.ts'

export const drainErrors = {
  MR_DRAIN_LISTEN: {
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
    }) => `the drain cannot listen on ${host}:${port}: ${reason}`,
    hint: 'Stop what holds the port, or choose another: --port of `millrace drain`, --drain-port of `millrace dev`, drain.port in the configuration. 0 takes any free one.',
  },
  MR_ROUTES_STORE_OPEN: {
    class: 'StorageError',
    retriable: false,
    message: ({ where, reason }: { readonly where: string; readonly reason: string }) =>
      `cannot open the route metrics in ${where}: ${reason}`,
    hint: 'Check that the folder exists and may be written, or that the Redis server answers.',
  },
  MR_ROUTES_REDIS_MISSING: {
    class: 'UsageError',
    retriable: false,
    message: ({ library }: { readonly library: string }) =>
      `route metrics in Redis need the package ${library}, which is not installed`,
    hint: 'Run `npm install ioredis`, or leave the URL out to keep the metrics in a local file.',
  },
  MR_REPLAY_TARGET: {
    class: 'UsageError',
    retriable: false,
    message: ({ target }: { readonly target: string }) => `${target} is no target for a replay`,
    hint: 'Give an http or https URL of a site that is not production, such as http://staging.example.com.',
  },
  MR_REPLAY_ORIGINAL_HOST: {
    class: 'UsageError',
    retriable: false,
    message: ({ host, at }: { readonly host: string; readonly at: string }) =>
      `the replay would send its requests to ${host}, which the lines came from (${at})`,
    hint: 'Point the replay at another host. If lines of that host are meant to be left out, set originalHost to skip.',
  },
  MR_REPLAY_UNDELIVERED: {
    class: 'ConnectionError',
    retriable: true,
    message: ({ target, count }: { readonly target: string; readonly count: number }) =>
      `${count} replayed ${count === 1 ? 'request' : 'requests'} got no answer from ${target}`,
    hint: 'Check that the target runs; the lines stay in the topic and are sent again.',
  },
  MR_SIMULATE_DATA: {
    class: 'ConfigError',
    retriable: false,
    message: ({ path, line }: { readonly path: string; readonly line: number }) =>
      `line ${line} of ${path} is no access log line in combined format`,
    hint: 'Give a file in the combined log format, plain or gzipped.',
  },
} as const satisfies ErrorRows
