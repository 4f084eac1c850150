import { isAbsolute, join } from 'node:path'

import { defineCommand, ports } from '../command.ts'
import { exitCodes } from '../exit-code.ts'

export const dev = defineCommand({
  arguments: {},
  options: {
    folder: { type: 'text', about: 'the folder of the application (default: this one)' },
    data: {
      type: 'text',
      env: 'MILLRACE_DATA_FOLDER',
      about: 'where data is kept (default: .millrace in the folder)',
    },
    memory: { type: 'flag', about: 'keep data in memory: all of it is gone at exit' },
    port: {
      type: 'number',
      range: ports,
      about: 'port of the broker (default 9092, or the next free one); 0 takes any',
    },
    drainPort: {
      type: 'number',
      range: ports,
      about: 'port of the log drain (default 6514, or the next free one); 0 takes any',
    },
    gatewayPort: {
      type: 'number',
      range: ports,
      about:
        'start the gateway for Redis clients on this port; 0 takes any (default: 6380, when the configuration has gateway)',
    },
    once: {
      type: 'flag',
      about: 'stop when the application’s work is done, and print the final tables',
    },
  },
  examples: ['millrace dev', 'millrace dev --folder examples/log-platform --once'],

  async run(input, { print, folder, env, globals }) {
    const { runDev } = await import('../dev/run-dev.ts')
    const absolute = (path: string): string => (isAbsolute(path) ? path : join(folder, path))
    await runDev({
      folder: absolute(input.folder ?? '.'),
      configFile: globals.config,
      dataFolder: input.data === undefined ? undefined : absolute(input.data),
      isMemory: input.memory === true,
      isOnce: input.once === true,
      brokerPort: input.port,
      drainPort: input.drainPort,
      gatewayPort: input.gatewayPort,
      env,
      print,
    })
    return exitCodes.done
  },
})
