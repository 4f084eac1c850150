/**
 * The embedded broker, put together. Start order is the reverse of stop order:
 *
 *     settings -> log store (lock, recovery) -> groups (loaded) -> listener -> timers
 */
import type { Socket } from 'node:net'
import { failure } from '../errors/index.ts'
import { BufferPool, LoopWake, systemClock, type Clock, type Timer } from '../kit/index.ts'
import {
  memoryFileSystem,
  nodeFileSystem,
  openLogStore,
  type LogStore,
  type StorageReport,
} from '../storage/index.ts'
import { events } from '../telemetry/index.ts'
import { handlerByKey, handlers } from './api/handlers.ts'
import { brokerStats, type BrokerStats } from './broker-stats.ts'
import type { ApiRange, BrokerCore } from './broker-core.ts'
import { FetchSessions } from './fetching/fetch-sessions.ts'
import { GroupCoordinator } from './groups/group-coordinator.ts'
import { advertisedTo, isLoopback, isWildcard, parseAdvertised } from './listeners/advertise.ts'
import type { Border } from './listeners/border.ts'
import { Connection } from './listeners/connection.ts'
import { createDispatcher } from './listeners/dispatch.ts'
import { openListener } from './listeners/listener.ts'
import { brokerSettings, type BrokerSettings } from './options.ts'
import { Topics } from './topics/topics.ts'

export interface StartBrokerOptions {
  /** Where the data lies; made when missing. Needed unless `memory` is set. */
  readonly folder?: string
  /** Keeps everything in memory: for tests. */
  readonly memory?: boolean
  /** Default: both loopback addresses, 127.0.0.1 and ::1, since clients try either for `localhost`. */
  readonly host?: string
  /** Default 0: any free one. */
  readonly port?: number
  /** `host:port` told to clients. Default: `localhost`, or the address by which a client came in. */
  readonly advertised?: string
  readonly clock?: Clock
  readonly options?: Partial<BrokerSettings>
  /** For tests: stands between connections and handlers. */
  readonly border?: Border
}

export interface Broker extends AsyncDisposable {
  readonly port: number
  /** `localhost:PORT`, or the configured host in place of localhost. */
  readonly address: string
  readonly clusterId: string
  readonly store: LogStore
  readonly settings: BrokerSettings
  /** Open now. */
  readonly connections: number
  stats(): BrokerStats
  /** Closes connections and log; what was acknowledged is there at the next start. A second call waits for the first. */
  stop(): Promise<void>
}

/** How long a stopping broker waits for clients to take their last answers. Sockets know no other clock. */
const stopGraceMs = 1000

const loopbacks = ['127.0.0.1', '::1']

/** What the ApiVersions answer says, derived from the handlers. */
const apiRanges: readonly ApiRange[] = handlers.map(({ api, versions, advertiseFrom }) => ({
  apiKey: api.key,
  minVersion: advertiseFrom,
  maxVersion: versions[1],
}))

/**
 * Starts a broker in this process and resolves when it answers.
 *
 * @throws MR_STORAGE_LOCKED (names the owner), MR_STORAGE_FOREIGN_FOLDER, MR_STORAGE_NEWER_FORMAT,
 * MR_STORAGE_DISK_FULL, MR_BROKER_PORT_TAKEN, MR_BROKER_LISTEN, MR_BROKER_ADVERTISED, MR_CONFIG_INVALID
 * @example
 * await using broker = await startBroker({ folder: './data', port: 9092 })
 * console.log(broker.address)
 */
export async function startBroker(options: StartBrokerOptions = {}): Promise<Broker> {
  const { clock = systemClock, memory = false } = options
  const startMs = clock.monotonicMs()
  const settings = brokerSettings(options.options)
  const folder = options.folder ?? (memory ? '/memory' : undefined)
  if (folder === undefined)
    throw failure('MR_CONFIG_INVALID', { faults: ['folder: give one, or set memory'] })
  if (options.advertised !== undefined) parseAdvertised(options.advertised, 1)

  const pool = new BufferPool()
  const store = await openLogStore({
    folder,
    pool,
    fs: memory ? memoryFileSystem() : nodeFileSystem,
    clock,
    onReport: publishReport,
    ...(memory ? { reserveBytes: 0 } : {}),
  })
  const topics = new Topics(store, settings)
  const groups = new GroupCoordinator({ store, topics, clock, settings })
  try {
    await groups.load()
    const broker: BrokerCore = {
      settings,
      clock,
      store,
      topics,
      groups,
      sessions: new FetchSessions({ slots: settings.fetchSessions }),
      apiRanges,
    }
    const connections = new Set<Connection>()
    const listener = await listen(options, broker, { connections, pool })
    const address = `${nameOf(options.host, listener.hosts)}:${listener.port}`
    store.announce({ port: listener.port })
    const timers = startTimers(broker, connections)
    let stopped: Promise<void> | undefined

    const stop = async (): Promise<void> => {
      const idle = timers.stop()
      const closed = listener.close()
      // Acknowledgements of what is already appended go out first, to those who read them.
      await store.written().catch((error: unknown) => taskFailed('write', error))
      // From the write to the socket it is a few promises more.
      await new Promise((resolve) => setImmediate(resolve))
      for (const connection of connections) connection.finish('the broker stops')
      const deaf = systemClock.after(stopGraceMs, () => {
        for (const connection of connections) connection.close('the broker stops')
      })
      groups.stop()
      await closed
      deaf.cancel()
      await idle
      // A server is closed a moment before its sockets say that they are.
      connections.clear()
      await store.close()
      events.brokerStopped.publish({ address })
    }
    events.brokerStarted.publish({
      address,
      folder,
      clusterId: store.clusterId,
      topics: topics.all.length,
      durationMs: clock.monotonicMs() - startMs,
    })
    return {
      port: listener.port,
      address,
      clusterId: store.clusterId,
      store,
      settings,
      get connections() {
        return connections.size
      },
      stats: () => brokerStats(broker, { connections: connections.size, startMs }),
      stop: () => (stopped ??= stop()),
      [Symbol.asyncDispose]: () => (stopped ??= stop()),
    }
  } catch (error) {
    groups.stop()
    await store.close()
    throw error
  }
}

async function listen(
  options: StartBrokerOptions,
  broker: BrokerCore,
  { connections, pool }: { readonly connections: Set<Connection>; readonly pool: BufferPool },
): Promise<{ readonly port: number; readonly hosts: readonly string[]; close(): Promise<void> }> {
  const { settings } = broker
  const dispatcher = createDispatcher(handlerByKey, broker, options.border)
  const wake = new LoopWake()
  let opened = 0
  const onSocket = (socket: Socket): void => {
    if (connections.size >= settings.maxConnections) {
      socket.destroy()
      return
    }
    const connection = new Connection({
      id: ++opened,
      socket,
      advertised: advertisedTo(socket, listener.port, { advertised, loopbackName }),
      dispatcher,
      settings,
      pool,
      wake,
      onClose: () => connections.delete(connection),
    })
    connections.add(connection)
    events.brokerConnectionOpened.publish({ connection: connection.id, host: connection.host })
  }
  const hosts =
    options.host === undefined || options.host === 'localhost' ? loopbacks : [options.host]
  const listener = await openListener({ hosts, port: options.port ?? 0, onSocket })
  const advertised =
    options.advertised === undefined
      ? undefined
      : parseAdvertised(options.advertised, listener.port)
  // Where ::1 is not ours it may be somebody else's, and clients try it first for `localhost`.
  const loopbackName = loopbacks.every((host) => listener.hosts.includes(host))
    ? 'localhost'
    : (listener.hosts.find(isLoopback) ?? '127.0.0.1')
  if (advertised === undefined && listener.hosts.some(isWildcard)) {
    events.brokerWarning.publish({
      message: `the broker listens on ${listener.hosts.join(', ')} and tells clients the address they came in by`,
      hint: 'Set advertised to the host:port under which clients on other machines reach it.',
    })
  }
  return listener
}

function nameOf(host: string | undefined, bound: readonly string[]): string {
  if (host !== undefined && host !== 'localhost' && !isWildcard(host))
    return host.includes(':') ? `[${host}]` : host
  return bound.length === 1 && bound[0] === '127.0.0.1' ? '127.0.0.1' : 'localhost'
}

/** Work that comes back: each run ends before the next is planned. `stop` resolves when none runs any more. */
function startTimers(
  broker: BrokerCore,
  connections: ReadonlySet<Connection>,
): { stop(): Promise<void> } {
  const { clock, groups, settings, store } = broker
  const timers = new Map<string, Timer>()
  const runs = new Map<string, Promise<void>>()
  let isStopped = false
  const every = (task: string, intervalMs: number, run: () => Promise<void>): void => {
    const once = async (): Promise<void> => {
      try {
        await run()
      } catch (error) {
        taskFailed(task, error)
      }
      plan()
    }
    const plan = (): void => {
      if (isStopped) return
      const start = (): void => void runs.set(task, once())
      timers.set(task, clock.after(intervalMs, start, { unref: true }))
    }
    plan()
  }
  every('retention', settings.retentionCheckMs, async () => {
    const { segments, bytes } = await store.retain()
    if (segments > 0) events.brokerRetained.publish({ segments, bytes })
  })
  every('offsets retention', settings.offsetsRetentionCheckMs, () => groups.tidy())
  const idleMs = settings.connectionIdleMs
  every('idle connections', Math.max(1, idleMs / 4), async () => {
    const nowMs = clock.monotonicMs()
    for (const connection of connections)
      if (connection.isIdle(nowMs, idleMs)) connection.close('idle')
  })
  return {
    async stop() {
      isStopped = true
      for (const timer of timers.values()) timer.cancel()
      await Promise.all(runs.values())
    },
  }
}

function taskFailed(task: string, error: unknown): void {
  events.brokerTaskFailed.publish({ task, error })
}

function publishReport(report: StorageReport): void {
  switch (report.kind) {
    case 'repaired': {
      const { kind: _, ...facts } = report
      events.brokerRepaired.publish(facts)
      return
    }
    case 'disk-full':
      events.brokerWarning.publish({
        message: `the disk is full: ${report.bytes} bytes are needed for ${report.path}`,
        hint: 'Nothing is written until there is room; reading goes on. Free space or lower retention.',
      })
      return
    case 'disk-free':
      events.brokerWarning.publish({ message: 'the disk has room again', hint: 'Writing goes on.' })
      return
    case 'partition-failed':
      events.brokerTaskFailed.publish({
        task: `write ${report.topic}/${report.partition}`,
        error: report.error,
      })
      return
    case 'removal-failed':
      events.brokerTaskFailed.publish({ task: 'remove files', error: report.error })
      return
    case 'checkpoint-failed':
      events.brokerTaskFailed.publish({ task: 'checkpoint', error: report.error })
      return
    case 'stray-folder':
      events.brokerWarning.publish({
        message: `${report.path} belongs to no known topic`,
        hint: 'It is left alone. Delete it when nothing in it is needed.',
      })
  }
}
