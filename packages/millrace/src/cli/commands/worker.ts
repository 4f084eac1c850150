import { defineCommand } from '../command.ts'

const logLevels = ['debug', 'info', 'warn', 'error', 'silent']

export const worker = defineCommand({
  name: 'worker',
  about: 'Runs the consumers of millrace.config.ts until it is told to stop.',
  safety: 'run',
  arguments: {},
  options: {
    include: {
      type: 'list',
      about: 'only these: group:mail, topic:orders, consumer:welcome, or a name; may be repeated',
    },
    exclude: { type: 'list', about: 'all but these' },
    // The flags of the application's option table, which is too heavy to load for a `--help`.
    createTopics: { type: 'flag', about: 'create declared topics that are missing' },
    clientId: { type: 'text', about: 'name of this application' },
    concurrency: { type: 'number', about: 'handler calls at once in the process' },
    shutdownTimeout: { type: 'duration', about: 'bound of a graceful stop' },
    logLevel: { type: 'text', choices: logLevels, about: 'least level of a log line' },
  },
  examples: ['millrace worker', 'millrace worker --include group:mail --concurrency 4'],

  async run(input, { folder, globals, env, print }) {
    const { startWorker } = await import('../../app/index.ts')
    const { chooseBrokers } = await import('../cluster.ts')
    const { loadConfig } = await import('../load-config.ts')
    const { config } = await loadConfig({ folder, file: globals.config })
    if ((config.app?.consumers ?? []).length === 0)
      print.talk(
        'warning: the configuration declares no consumers (app.consumers), so there is nothing to do',
      )
    const { brokers, tls } = await chooseBrokers({ ...globals, env, folder })
    const running = await startWorker(
      { ...config, ...(tls ? { tls } : {}) },
      {
        flags: {
          brokers,
          clientId: input.clientId,
          'worker.concurrency': input.concurrency,
          'worker.shutdownTimeout': input.shutdownTimeout,
          'log.level': input.logLevel,
        },
        ...(input.include === undefined ? {} : { include: input.include }),
        ...(input.exclude === undefined ? {} : { exclude: input.exclude }),
        ...(input.createTopics === undefined ? {} : { createTopics: input.createTopics }),
      },
    )
    return running.done
  },
})
