import { defineCommand } from '../command.ts'

export const console = defineCommand({
  arguments: {},
  options: {},
  examples: [`echo "await send('orders', { value: { id: 1 } })" | millrace console`],

  async run(_, { print, env, folder, globals }) {
    const { internals } = await import('../../app/index.ts')
    const { chooseBrokers } = await import('../cluster.ts')
    const { loadConfig } = await import('../load-config.ts')
    const { runConsole } = await import('../console/run-console.ts')
    const { config, exports } = await loadConfig({ folder, file: globals.config })
    const { brokers, origin, tls } = await chooseBrokers({ ...globals, env, folder })
    // All that is started by hand in here goes to the cluster that was chosen.
    process.env['KAFKA_URL'] = brokers.join(',')
    // `millrace dev` runs the topics of all clusters on its one broker.
    if (origin === 'millrace dev')
      for (const name of Object.keys(config.clusters ?? {}))
        process.env[internals.clusterVariable(name)] = brokers.join(',')
    return runConsole({
      exports,
      config: { ...config, brokers, ...(tls ? { tls } : {}) },
      input: process.stdin,
      output: process.stdout,
      talk: (line) => print.talk(line),
      cluster: `${brokers.join(',')} (${origin})`,
    })
  },
})
