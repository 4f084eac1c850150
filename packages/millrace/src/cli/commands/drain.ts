import { defineCommand } from '../command.ts'

export const drain = defineCommand({
  name: 'drain',
  about: 'Takes log drains over HTTP and writes their lines to topics.',
  safety: 'run',
  arguments: {},
  options: {
    port: {
      type: 'number',
      short: 'p',
      default: 6514,
      env: 'MILLRACE_DRAIN_PORT',
      about: 'port; 0 takes a free one',
    },
    host: {
      type: 'text',
      default: '127.0.0.1',
      env: 'MILLRACE_DRAIN_HOST',
      about: 'address to listen on',
    },
    user: {
      type: 'text',
      env: 'MILLRACE_DRAIN_USER',
      about: 'name that senders must give (default: none)',
    },
    key: {
      type: 'text',
      env: 'MILLRACE_DRAIN_KEY',
      secret: true,
      about: 'the key that goes with it, also as ?key= or bearer token',
    },
    strict: { type: 'flag', about: 'refuse bodies that are not application/logplex-1' },
  },
  examples: ['millrace drain', 'millrace drain --host 0.0.0.0 --user logs --key "$DRAIN_KEY"'],

  async run(input, { print, cluster }) {
    const { startClusterDrain } = await import('../../drain/index.ts')
    const { nextSignal } = await import('../signals.ts')
    const signalled = nextSignal()
    const { client, brokers } = await cluster()
    await using opened = await startClusterDrain({
      client,
      port: input.port,
      host: input.host,
      strict: input.strict === true,
      ...(input.key === undefined
        ? {}
        : { credentials: [{ user: input.user ?? '', key: input.key }] }),
    })
    await print.row(
      { url: opened.url, brokers },
      () => `Drain on ${opened.url}, writing to ${brokers.join(', ')}`,
    )
    const signal = await signalled
    print.talk(`Received ${signal}, stopping`)
  },
})
