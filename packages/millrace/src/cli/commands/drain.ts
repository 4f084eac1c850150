import type { Drain } from '../../drain/index.ts'
import { defineCommand, ports } from '../command.ts'

/** One attempt's patience; a broker that is away is asked again for ever. */
const answerMs = 10_000

export const drain = defineCommand({
  arguments: {},
  options: {
    port: {
      type: 'number',
      range: ports,
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

  async run(input, { print, env, folder, globals }) {
    const { openClient } = await import('../../client/index.ts')
    const { startClusterDrain } = await import('../../drain/index.ts')
    const { chooseBrokers } = await import('../cluster.ts')
    const { nextSignal } = await import('../signals.ts')
    const { untilReachable } = await import('../until-reachable.ts')
    const stop = new AbortController()
    const signalled = stopAtSignal()
    async function stopAtSignal(): Promise<void> {
      const name = await nextSignal()
      print.talk(`Received ${name}, stopping`)
      stop.abort(name)
    }
    const { brokers, tls } = await chooseBrokers({ ...globals, env, folder })
    await using client = openClient({
      brokers,
      clientId: 'millrace-drain',
      apiTimeoutMs: answerMs,
      ...(tls ? { tls } : {}),
    })
    const start = async (): Promise<Drain> => {
      // Tells at once that nobody is there, instead of after many attempts.
      await client.connections.connect('any', 'data', { signal: stop.signal })
      return startClusterDrain({
        client,
        port: input.port,
        host: input.host,
        strict: input.strict === true,
        ...(input.key === undefined
          ? {}
          : { credentials: [{ user: input.user ?? '', key: input.key }] }),
      })
    }
    try {
      await using opened = await untilReachable(start, {
        say: (line) => print.talk(line),
        signal: stop.signal,
      })
      await print.row(
        { url: opened.url, brokers },
        () => `Drain on ${opened.url}, writing to ${brokers.join(', ')}`,
      )
      await signalled
    } catch (error) {
      // Told to stop while the cluster was still away: a clean end.
      if (error !== stop.signal.reason) throw error
    }
  },
})
