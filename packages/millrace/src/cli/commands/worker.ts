import { defineCommand } from '../command.ts'

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
    createTopics: { type: 'flag', about: 'create declared topics that are missing' },
  },
  examples: ['millrace worker', 'millrace worker --include group:mail'],

  async run(input, { folder, globals, env }) {
    const { startWorker } = await import('../../app/index.ts')
    const { chooseBrokers } = await import('../cluster.ts')
    const { loadConfig } = await import('../load-config.ts')
    const { config } = await loadConfig({ folder, file: globals.config })
    const { brokers, tls } = await chooseBrokers({ ...globals, env, folder })
    const running = await startWorker(
      { ...config, ...(tls ? { tls } : {}) },
      {
        flags: { brokers },
        ...(input.include === undefined ? {} : { include: input.include }),
        ...(input.exclude === undefined ? {} : { exclude: input.exclude }),
        ...(input.createTopics === undefined ? {} : { createTopics: input.createTopics }),
      },
    )
    return running.done
  },
})
