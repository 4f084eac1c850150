import type { ClientOptions, Dial } from '../../client/index.ts'
import { systemClock, uuidSource, type Clock } from '../../kit/index.ts'
import { openClients, type Clients } from '../clusters/index.ts'
import type { MillraceConfig } from '../config/define-config.ts'
import { resolveConfig, type ResolvedConfig } from '../config/resolve-config.ts'
import { trackErrors } from '../error-tracker/index.ts'
import { openMetrics } from '../metrics/index.ts'
import { makeAppProducer, type AppProducer, type OwnProducer } from './app-producer.ts'
import { forgetProducer, setCurrentProducer } from './current-producer.ts'

type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'

/** For tests: another time, and what opens a byte stream to a broker. */
export interface OpenProducerOptions {
  readonly clock?: Clock
  readonly dial?: Dial
}

/**
 * The producer of a process that runs no worker: a web application, a script. It becomes the current one. A process whose
 * work is done ends by itself, connected or not, and delivers before it ends what was enqueued; only `process.exit` in
 * your code loses it.
 * @throws MR_CONFIG_INVALID
 */
export function openProducer(
  config: MillraceConfig,
  { clock = systemClock, ...more }: OpenProducerOptions = {},
): AppProducer {
  const resolved = resolveConfig(config, { env: process.env })
  const { options, clientName: clientId } = resolved
  const metrics = openMetrics({ options, clientId, clock, env: process.env })
  const clients = openAppClients(resolved, clock, { holdsProcess: false, ...more })
  // Nothing else is left to run by then, so the connections may go as well.
  const onBeforeExit = (): void => void producer.close({ timeout: '30s' })
  const producer = producerOf(resolved, clients, clock, async () => {
    process.removeListener('beforeExit', onBeforeExit)
    forgetProducer(producer)
    await clients.close({ timeoutMs: 0 })
    await metrics?.[Symbol.asyncDispose]()
    untrack()
  })
  const untrack = trackErrors(resolved.app.middleware ?? [])
  metrics?.read({
    process: () => ({ clientId, queued: producer.queued }),
    partitions: () => [],
  })
  process.on('beforeExit', onBeforeExit)
  setCurrentProducer(producer)
  return producer
}

/** A client for each cluster of a configuration. */
export function openAppClients(
  { clusters, clientName, clusterOfWire, options }: ResolvedConfig,
  clock: Clock,
  more: Pick<ClientOptions, 'holdsProcess' | 'dial'> = {},
): Clients {
  return openClients(clusters, {
    ...more,
    clientId: clientName,
    clock,
    clusterOfWire,
    connectTimeoutMs: options['connection.timeout'],
    requestTimeoutMs: options['connection.requestTimeout'],
    reconnectMs: options['connection.reconnect'],
  })
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
      maxMessageBytes: options['producer.maxMessageBytes'],
    },
    background: {
      threshold: options['producer.deliveryThreshold'],
      intervalMs: options['producer.deliveryInterval'],
      queueLimit: options['producer.queueLimit'],
      onUndelivered: source.producer?.onUndelivered,
    },
    nextId: options['producer.ids'] ? uuidSource(clock) : undefined,
    ...(onClose === undefined ? {} : { onClose }),
  })
}
