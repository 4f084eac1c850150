import { isAbsolute, join } from 'node:path'

import { defineCommand, ports } from '../command.ts'

export const broker = defineCommand({
  arguments: {},
  options: {
    data: {
      type: 'text',
      default: '.millrace/data',
      env: 'MILLRACE_BROKER_DATA',
      about: 'folder of the log',
    },
    memory: { type: 'flag', about: 'keep data in memory: all of it is gone at exit' },
    port: {
      type: 'number',
      range: ports,
      short: 'p',
      default: 9092,
      env: 'MILLRACE_BROKER_PORT',
      about: 'port; 0 takes a free one',
    },
    host: {
      type: 'text',
      env: 'MILLRACE_BROKER_HOST',
      about: 'address to listen on (default: loopback alone)',
    },
    advertised: {
      type: 'text',
      env: 'MILLRACE_BROKER_ADVERTISED',
      about: 'host:port that clients are told',
    },
  },
  examples: ['millrace broker', 'millrace broker --data ./log --port 9192'],

  async run(input, { print, folder }) {
    const { startBroker } = await import('../../broker/index.ts')
    const { nextSignal } = await import('../signals.ts')
    const { followBroker } = await import('../dev/broker-notes.ts')
    using _notes = followBroker((line) => print.talk(line))
    const signalled = nextSignal()
    const data = isAbsolute(input.data) ? input.data : join(folder, input.data)
    await using started = await startBroker({
      ...(input.memory === true ? { memory: true } : { folder: data }),
      port: input.port,
      ...(input.host === undefined ? {} : { host: input.host }),
      ...(input.advertised === undefined ? {} : { advertised: input.advertised }),
    })
    await print.row({ address: started.address, data: input.memory === true ? null : data }, () =>
      input.memory === true
        ? `Broker on ${started.address}, in memory: everything is gone at exit`
        : `Broker on ${started.address}, data in ${data}`,
    )
    const signal = await signalled
    print.talk(`Received ${signal}, stopping`)
  },
})
