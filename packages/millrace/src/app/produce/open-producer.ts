import { systemClock, type Clock } from '../../kit/index.ts'
import { openClients, type Clients } from '../clusters/index.ts'
import type { MillraceConfig } from '../config/define-config.ts'
import { resolveConfig, type ResolvedConfig } from '../config/resolve-config.ts'
import type { EncodedMessage, Sent } from '../ports.ts'
import { makeAppProducer, type AppProducer } from './app-producer.ts'
import { forgetProducer, setCurrentProducer } from './current-producer.ts'

type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

export type OwnProducer = AppProducer & {
  readonly sendRaw: (message: EncodedMessage) => Promise<Sent>
}

/**
 * The producer of a process that runs no worker: a web application, a script. It becomes the current one. What was
 * enqueued is delivered before the process ends by itself; only `process.exit` in your code loses it. Once it is
 * connected it keeps the process open: close it at the end of a script.
 * @throws MR_CONFIG_INVALID
 */
export function openProducer(config: MillraceConfig): AppProducer {
  const resolved = resolveConfig(config, { env: process.env })
  const clients = openAppClients(resolved, systemClock)
  // Nothing else is left to run by then, so the connections may go as well.
  const onBeforeExit = (): void => void producer.close({ timeout: '30s' })
  const producer = producerOf(resolved, clients, systemClock, async () => {
    process.removeListener('beforeExit', onBeforeExit)
    forgetProducer(producer)
    await clients.close({ timeoutMs: 0 })
  })
  process.on('beforeExit', onBeforeExit)
  setCurrentProducer(producer)
  return producer
}

/** A client for each cluster of a configuration. */
export function openAppClients(
  { clusters, options, clusterOfWire }: ResolvedConfig,
  clock: Clock,
): Clients {
  return openClients(clusters, { clientId: options.clientId, clock, clusterOfWire })
}

/** The producer of a configuration on clients that are open: each message goes to the cluster of its topic. */
export function producerOf(
  { options, app, wireName, source }: ResolvedConfig,
  clients: Clients,
  clock: Clock,
  onClose?: () => Promise<void>,
): OwnProducer {
  return makeAppProducer({
    client: clients.producers,
    clock,
    wireName,
    middleware: app.middleware ?? [],
    producer: {
      acks: options['producer.acks'] === 'all' ? -1 : options['producer.acks'] === '1' ? 1 : 0,
      compression: options['producer.compression'] as Compression,
      lingerMs: options['producer.linger'],
      bufferBytes: options['producer.buffer'],
      maxBlockMs: options['producer.maxBlock'],
      deliveryTimeoutMs: options['producer.deliveryTimeout'],
    },
    background: {
      threshold: options['producer.deliveryThreshold'],
      intervalMs: options['producer.deliveryInterval'],
      queueLimit: options['producer.queueLimit'],
      onUndelivered: source.producer?.onUndelivered,
    },
    ...(onClose === undefined ? {} : { onClose }),
  })
}
