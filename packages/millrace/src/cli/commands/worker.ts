import { defineCommand, ports } from '../command.ts'
import { parsePlace } from '../parse-places.ts'
import { dataFolderOf, workerFolderOptions } from '../workers/worker-options.ts'

const logLevels = ['debug', 'info', 'warn', 'error', 'silent']

export const worker = defineCommand({
  name: 'worker',
  about: 'Runs the consumers of millrace.config.ts until it is told to stop.',
  safety: 'run',
  arguments: {
    worker: {
      about: 'one consumer of several processes, by its name and instance: price_drops:1',
      isRequired: false,
    },
  },
  options: {
    include: {
      type: 'list',
      about: 'only these: group:mail, topic:orders, consumer:welcome, or a name; may be repeated',
    },
    exclude: { type: 'list', about: 'all but these' },
    assign: {
      type: 'list',
      about:
        'only these partitions, without joining a group: orders:0,1 or orders; may be repeated',
    },
    // The flags of the application's option table, which is too heavy to load for a `--help`.
    createTopics: { type: 'flag', about: 'create declared topics that are missing' },
    clientId: { type: 'text', about: 'name of this application' },
    concurrency: { type: 'number', about: 'handler calls at once in the process' },
    shutdownTimeout: { type: 'duration', about: 'bound of a graceful stop' },
    healthPort: { type: 'number', range: ports, about: 'serve GET /healthz and /readyz there' },
    healthHost: { type: 'text', about: 'where they listen (default 127.0.0.1)' },
    logLevel: { type: 'text', choices: logLevels, about: 'least level of a log line' },
    ...workerFolderOptions,
  },
  examples: [
    'millrace worker',
    'millrace worker price_drops:1',
    'millrace worker --assign orders:0,1',
    'millrace worker --include group:mail --concurrency 4',
  ],

  async run(input, { folder, globals, env, print }) {
    const { internals, startWorker } = await import('../../app/index.ts')
    const { chooseBrokers } = await import('../cluster.ts')
    const { loadConfig } = await import('../load-config.ts')
    const { startBanner } = await import('../workers/start-banner.ts')
    const { packageVersion } = await import('../version.ts')
    // Refused before the application's code is loaded.
    if (input.worker !== undefined) internals.parseWorkerName(input.worker)
    const { config, path } = await loadConfig({ folder, file: globals.config })
    if ((config.app?.consumers ?? []).length === 0)
      print.talk(
        'warning: the configuration declares no consumers (app.consumers), so there is nothing to do',
      )
    const assign = input.assign?.map(parsePlace).map(({ topic, partitions }) => ({
      topic,
      partitions: partitions === undefined ? ('all' as const) : [...partitions],
    }))
    const { brokers, tls } = await chooseBrokers({ ...globals, env, folder })
    const whole = { ...config, ...(tls ? { tls } : {}) }
    const options = {
      env,
      flags: {
        brokers,
        clientId: input.clientId,
        'worker.concurrency': input.concurrency,
        'worker.shutdownTimeout': input.shutdownTimeout,
        'health.port': input.healthPort,
        'health.host': input.healthHost,
        'log.level': input.logLevel,
      },
      dataFolder: dataFolderOf(folder, input.data),
      ...(input.worker === undefined ? {} : { name: input.worker }),
      ...(assign === undefined ? {} : { assign }),
      ...(input.include === undefined ? {} : { include: input.include }),
      ...(input.exclude === undefined ? {} : { exclude: input.exclude }),
      ...(input.createTopics === undefined ? {} : { createTopics: input.createTopics }),
    }
    print.talk(
      startBanner({
        version: packageVersion(),
        name: input.worker,
        bootFile: path,
        environment: env['NODE_ENV'] ?? 'development',
        resolved: internals.resolveStart(whole, options),
      }),
    )
    const running = await startWorker(whole, options)
    return running.done
  },
})
