/**
 * `millrace dev`: the embedded broker in a thread of its own, a drain, the application's worker and what the
 * application brings along, in one order, and down again in the reverse.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { resolveConfig, startWorker, type Logger, type MillraceConfig } from '../../app/index.ts'
import { startBrokerThread, type BrokerThread } from '../../broker/index.ts'
import { openClient } from '../../client/index.ts'
import { startClusterDrain, type ClusterDrainOptions, type Drain } from '../../drain/index.ts'
import { failure, isFailure } from '../../errors/index.ts'
import { startGateway, type Gateway, type StartGatewayOptions } from '../../gateway/index.ts'
import { dataFolderName, removeAddressFile, writeAddressFile } from './address-file.ts'
import { followBroker } from './broker-notes.ts'
import type { DevCompanion, DevSection } from './companion.ts'
import { startLiveWorker, type LiveWorker } from './live-worker.ts'
import { runBeside } from './run-beside.ts'

/** The parts of a configuration that `millrace dev` reads, beside the application's. */
export interface DevConfig extends MillraceConfig {
  /** Starts a log drain with these options. */
  readonly drain?: Omit<ClusterDrainOptions, 'client'>
  /** Starts a gateway for Redis clients, with these options. */
  readonly gateway?: boolean | Omit<StartGatewayOptions, 'brokers' | 'clientOptions'>
  readonly dev?: DevSection
}

export interface DevOptions {
  readonly folder: string
  /** Default `.millrace` in the folder. */
  readonly dataFolder?: string | undefined
  readonly isMemory: boolean
  /** A port that the user named; it fails when taken. Undefined: the usual one, or the next that is free. */
  readonly brokerPort: number | undefined
  readonly drainPort: number | undefined
  /** Starts a gateway, configured or not. */
  readonly gatewayPort?: number | undefined
  readonly env: NodeJS.ProcessEnv
  /** Called again for each restart of the worker: it loads the code anew then. */
  readonly loadConfig: () => Promise<DevConfig>
  /** What the user should know and was not in the session's notes yet. */
  readonly onNote: (line: string) => void
  /** Where the worker's log lines go. Default: the terminal. */
  readonly openLog?: (dataFolder: string, config: DevConfig) => Logger | undefined
}

export interface DevSession extends AsyncDisposable {
  readonly config: DevConfig
  readonly dataFolder: string
  readonly broker: BrokerThread
  readonly drain: Drain | undefined
  readonly gateway: Gateway | undefined
  readonly live: LiveWorker
  readonly companion: DevCompanion | undefined
  /** Rejects when the broker or the worker ends by itself. */
  readonly failed: Promise<never>
  /** What the user should know: ports that moved, repairs. */
  readonly notes: readonly string[]
}

const usualPorts = { broker: 9092, drain: 6514, gateway: 6380 } as const
const portsTried = 20

export async function startDev(options: DevOptions): Promise<DevSession> {
  const dataFolder = options.dataFolder ?? join(options.folder, dataFolderName)
  const notes: string[] = []
  await mkdir(dataFolder, { recursive: true })
  // Read by configurations that keep something of their own beside the broker's data.
  options.env['MILLRACE_DATA'] = dataFolder

  await using opened = new AsyncDisposableStack()
  let note = (line: string): void => void notes.push(line)
  opened.use(followBroker((line) => note(line)))
  const broker = opened.use(
    await onFreePort('broker', options.brokerPort, notes, (port) =>
      startBrokerThread(
        options.isMemory ? { memory: true, port } : { folder: join(dataFolder, 'data'), port },
      ),
    ),
  )
  await writeAddressFile(options.folder, broker.address)
  opened.defer(() => removeAddressFile(options.folder))

  const brokers = [broker.address]
  const config = await options.loadConfig()
  const client = opened.use(openClient({ brokers, clientId: 'millrace-dev' }))
  const drain = config.drain
    ? opened.use(
        await onFreePort('drain', options.drainPort ?? config.drain.port, notes, (port) =>
          startClusterDrain({ ...config.drain, client, port }),
        ),
      )
    : undefined
  const { gatewayPort } = options
  const wantsGateway = gatewayPort !== undefined || (config.gateway ?? false) !== false
  const section = typeof config.gateway === 'object' ? config.gateway : {}
  const gateway = wantsGateway
    ? opened.use(
        await onFreePort('gateway', gatewayPort ?? section.port, notes, (port) =>
          startGateway({ ...section, brokers, port }),
        ),
      )
    : undefined
  const log = options.openLog?.(dataFolder, config)
  // Over KAFKA_URL and clusters too: what runs here talks to the broker that runs here.
  const here = { flags: { brokers }, isSingleCluster: true } as const
  const live = opened.use(
    await startLiveWorker(config, {
      load: options.loadConfig,
      validate: (next) => void resolveConfig(withoutTls(next), { ...here, env: options.env }),
      start: (next) =>
        startWorker(withoutTls(next), {
          ...here,
          signals: false,
          createTopics: true,
          dataFolder,
          ...(log ? { log } : {}),
        }),
      note: (line) => note(line),
      nowMs: () => performance.now(),
    }),
  )
  const beside = { ...options.env, KAFKA_URL: `kafka://${broker.address}` }
  opened.use(
    runBeside(config.dev?.run ?? [], {
      folder: options.folder,
      env: beside,
      note: (line) => note(line),
    }),
  )
  const companion = config.dev?.start
    ? opened.use(
        await config.dev.start({
          brokers,
          drainUrl: drain?.url ?? '',
          dataFolder,
          folder: options.folder,
          env: options.env,
        }),
      )
    : undefined

  note = options.onNote
  const failed = failureOf(broker, live)
  // Whoever runs the session waits for it or ends first; an end that nobody waits for is no error.
  failed.catch(() => undefined)
  const stack = opened.move()
  return {
    config,
    dataFolder,
    broker,
    drain,
    gateway,
    live,
    companion,
    failed,
    notes,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** TLS is for the cluster of production; the broker that runs here is plain. */
function withoutTls({ tls: _tls, ...config }: DevConfig): DevConfig {
  return config
}

/** What a running session cannot go on without. */
async function failureOf(broker: BrokerThread, live: LiveWorker): Promise<never> {
  const error = await Promise.race([
    broker.ended,
    live.ended.then((exitCode) => failure('MR_DEV_WORKER_ENDED', { exitCode })),
  ])
  throw error ?? failure('MR_DEV_BROKER_ENDED', {})
}

/** A port that the user named is used or fails; the usual one moves to the next that is free, with a note. */
async function onFreePort<T>(
  what: keyof typeof usualPorts,
  named: number | undefined,
  notes: string[],
  open: (port: number) => Promise<T>,
): Promise<T> {
  if (named !== undefined) return open(named)
  const usual = usualPorts[what]
  for (let port = usual; ; port++) {
    try {
      const result = await open(port)
      if (port !== usual) notes.push(`port ${usual} is taken, the ${what} uses ${port}`)
      return result
    } catch (error) {
      const isTaken = isFailure(
        error,
        'MR_BROKER_PORT_TAKEN',
        'MR_DRAIN_LISTEN',
        'MR_GATEWAY_LISTEN',
      )
      if (!isTaken || port >= usual + portsTried) throw error
    }
  }
}
