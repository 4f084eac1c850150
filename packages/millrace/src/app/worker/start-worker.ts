import { hostname } from 'node:os'

import { Slots, systemClock, sleep, type Clock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { AssignedTopic } from '../assignment/index.ts'
import type { MillraceConfig } from '../config/define-config.ts'
import { resolveConfig, type ResolvedConfig } from '../config/resolve-config.ts'
import {
  memberNameOf,
  parseWorkerName,
  startControlServer,
  workerTitle,
  type ControlServer,
} from '../control/index.ts'
import { sendLetter } from '../dead-letter/send-letter.ts'
import { trackErrors } from '../error-tracker/index.ts'
import { installLog } from '../log/install-log.ts'
import { openLogger } from '../log/open-logger.ts'
import { metricsContentType, openMetrics, renderMetrics } from '../metrics/index.ts'
import type { Logger, Runnable } from '../ports.ts'
import { forgetProducer, setCurrentProducer } from '../produce/current-producer.ts'
import { openAppClients, producerOf } from '../produce/open-producer.ts'
import { liveAnswer, readyAnswer, startHealthServer } from '../health/index.ts'
import { recurringRunnables } from '../recurring/index.ts'
import { scheduleRunnables } from '../schedule/index.ts'
import {
  forgivenAfterMs,
  noteRunning,
  reportToParent,
  tellMetricsToParent,
  withoutKillers,
  type ChildOrders,
} from '../swarm/index.ts'
import { connectRetryTopics } from '../retry-topics/index.ts'
import { breath } from './breath.ts'
import { warnOfDeclared } from './check-declared.ts'
import type { WorkerEnvironment } from './group-runner.ts'
import { groupRunners, joinAll } from './join-groups.ts'
import { watchLoopDelay } from './loop-delay.ts'
import { workerReadings } from './metrics-readings.ts'
import { handleProcess } from './process-handlers.ts'
import { enterJob } from './running-jobs.ts'
import { WorkerControl } from './worker-control.ts'
import { RunningWorker, type Worker } from './worker.ts'

export interface StartOptions {
  /**
   * True (default): the worker is the process. It handles signals and errors that nobody caught, and exits with its
   * code when it has ended. False: it is a guest, in a web process or a test.
   */
  readonly signals?: boolean
  /** Creates declared topics that are missing; for development. Default the setting `createTopics`. */
  readonly createTopics?: boolean
  /** Only these consumers: `group:mail`, `topic:orders`, `consumer:welcome`, or a consumer's name. */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  /** Only the consumers of these topics, with these partitions, without joining a group. */
  readonly assign?: readonly AssignedTopic[]
  readonly flags?: Readonly<Record<string, unknown>>
  /** Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Where log lines go; false for none. Default: pretty on a terminal, else JSON lines. */
  readonly log?: Logger | false
  /** Started after the groups have joined, stopped before the last commit. */
  readonly runnables?: readonly Runnable[]
  readonly clock?: Clock
  /**
   * One process of several: `price_drops:1` runs that consumer alone, and brokers, dead letters, status and the process
   * title name it so.
   */
  readonly name?: string
  /**
   * A folder for what outlives the process: pauses from outside, and the control socket that `millrace status`, `quiet`,
   * `stop`, `dump` and `workers` speak to. Default none.
   */
  readonly dataFolder?: string
  /** For one of several processes of a parent: who it is, and how often it reports. */
  readonly child?: ChildOrders
  /** All topics on the main cluster, whatever they say; for development. Default false. */
  readonly isSingleCluster?: boolean
}

/**
 * Starts what the configuration declares. Resolves when all groups are joined, or after `worker.startTimeout` with
 * the brokers away: it goes on trying for ever.
 *
 * @throws MR_CONFIG_INVALID with every fault, before anything is connected; what hooks throw; what makes a group impossible
 * @example
 * await using worker = await startWorker(config, { signals: false })
 */
export async function startWorker(
  config: MillraceConfig,
  options: StartOptions = {},
): Promise<Worker> {
  const { signals = true, clock = systemClock, env = process.env } = options
  const { child } = options
  const name = options.name === undefined ? undefined : parseWorkerName(options.name)
  const resolved = withoutKillers(resolveStart(config, options), child?.killers ?? [])
  const settings = resolved.options
  const isDevelopment = options.createTopics ?? settings.createTopics
  const logger =
    options.log === false
      ? undefined
      : (options.log ??
        openLogger({
          level: settings['log.level'],
          file: settings['log.file'],
          environment: env['NODE_ENV'],
          instance: options.child?.name ?? options.name,
        }))
  await using stack = new AsyncDisposableStack()
  if (logger !== undefined) {
    const groupIds = new Set(resolved.plans.map(({ groupId }) => groupId))
    const clientId = resolved.clientName
    const level = settings['log.level']
    stack.defer(installLog(logger, { groupIds, clientId, isDevelopment, level }))
  }
  const isServed =
    settings['metrics.prometheus.port'] !== undefined || settings['health.port'] !== undefined
  const clientId = resolved.clientName
  const metrics = openMetrics({ options: settings, clientId, clock, env, isServed })
  if (metrics !== undefined) stack.use(metrics)
  const { hooks, middleware = [] } = resolved.app
  stack.defer(trackErrors(middleware))
  await hooks?.initialized?.()
  events.appInitialized.publish({ clientId: settings.clientId })
  await hooks?.beforeStart?.()

  const clients = stack.use(openAppClients(resolved, clock))
  const producer = producerOf(resolved, clients, clock)
  stack.defer(() => producer.close({ timeout: 0 }))
  setCurrentProducer(producer)
  stack.defer(() => forgetProducer(producer))

  connectRetryTopics(resolved, { clients, clock, send: producer.sendRaw })
  const slots = new Slots(settings['worker.concurrency'])
  const environment: WorkerEnvironment = {
    clock,
    random: Math.random,
    slots,
    log: logger ?? silentLogger,
    workerName: name === undefined ? `${hostname()}-${process.pid}` : memberNameOf(name),
    adopt: (owner) => control.adopt(owner),
    patternIntervalMs: Math.min(
      settings['patterns.interval'],
      isDevelopment ? developmentPatternMs : Infinity,
    ),
    send: producer.send,
    sendLetter: (letter) => sendLetter(letter, producer.sendRaw),
    onCritical: (_owner, error) => worker.fail(error, undefined),
    breathe: breath(),
    ...(signals ? { enter: enterJob } : {}),
  }
  const groups = groupRunners(resolved, environment, (error) => worker.fail(error))
  const runnables = [
    ...recurringRunnables(resolved),
    ...scheduleRunnables(resolved),
    ...(resolved.app.runnables ?? []),
    ...(options.runnables ?? []),
  ]
  const worker = new RunningWorker({
    clock,
    resolved,
    clients,
    producer,
    groups,
    runnables,
    setConcurrency: (calls) => slots.resize(calls),
  })
  worker.enter('initialized')
  const loop = stack.use(
    watchLoopDelay(settings.session, () => worker.partitions.flatMap(({ jobs }) => jobs)),
  )
  const control = stack.use(
    new WorkerControl({
      worker,
      name: child?.name ?? (name === undefined ? 'worker' : workerTitle(name)),
      clientId: resolved.clientName,
      slots,
      loop,
      dataFolder: options.dataFolder,
      restarts: child?.restarts ?? 0,
    }),
  )
  if (signals) stack.defer(handleProcess(worker, control))
  if (child !== undefined) stack.defer(reportToParent(control, child, clock))
  if (child?.noteIn !== undefined)
    stack.defer(watchSuspect(child.noteIn, slots, settings['worker.concurrency'], clock))
  const socket = await openControl(control, options.dataFolder, child)
  if (socket !== undefined) stack.use(socket)

  stack.defer(() => worker.healthWatch.stop())
  // Before the groups: a probe wants an answer also while the brokers are away.
  // The children of a parent have its endpoint.
  const healthPort = child === undefined ? settings['health.port'] : undefined
  if (healthPort !== undefined) {
    const server = await startHealthServer({
      port: healthPort,
      host: settings['health.host'],
      live: () => liveAnswer(worker.health()),
      ready: () => readyAnswer(worker.health()),
      pages: { '/metrics': { contentType: metricsContentType, render: renderMetrics } },
    })
    stack.use(server)
    worker.healthAddress = server.address
    worker.healthWatch.start()
  }

  if (metrics !== undefined) {
    metrics.read(workerReadings(clientId, resolved.plans, groups, producer, worker.healthWatch))
    // The children of a parent tell it, which has the one endpoint of all.
    if (child === undefined) worker.metricsAddress = await metrics.serve()
    else stack.defer(tellMetricsToParent())
    worker.healthWatch.start()
  }

  stack.defer(async () => void (await Promise.all(groups.map((group) => group.leave(0)))))
  await joinAll(groups, resolved, {
    clients,
    clock,
    isDevelopment,
    fail: (error) => worker.fail(error),
  })
  if (settings.declared === 'warn') void warnOfDeclared(clients, resolved)
  const starting = new AbortController()
  for (const runnable of runnables) {
    if (worker.state !== 'initialized') break
    const { log, workerName } = environment
    const { wireName } = resolved
    const { signal } = starting
    await runnable.start({ signal, producer, clients, clock, log, workerName, wireName })
  }
  // A handler may have told it to stop by now.
  if (worker.state === 'initialized') {
    worker.enter('running')
    events.appRunning.publish({
      pid: process.pid,
      groups: groups.map(({ group }) => group),
      topics: [...new Set(groups.flatMap(({ topics }) => topics))],
      brokers: resolved.brokers,
    })
  }
  // A worker runs until it is stopped, also one that only produces and so holds no connection yet.
  const holding = setInterval(() => {}, longestTimerMs)
  stack.defer(() => clearInterval(holding))
  const owned = stack.move()
  void endWith(worker, owned, signals)
  return worker
}

/** What a start with these options would run. @throws MR_CONFIG_INVALID with every fault, MR_CLI_USAGE for a malformed name */
export function resolveStart(config: MillraceConfig, options: StartOptions): ResolvedConfig {
  const { env = process.env } = options
  const instanceId = options.child?.instanceId
  const flags = { ...options.flags, ...(instanceId === undefined ? {} : { instanceId }) }
  if (options.name === undefined) return resolveConfig(config, { ...options, env, flags })
  const name = parseWorkerName(options.name)
  const include = [`consumer:${name.consumer}`, ...(options.include ?? [])]
  return resolveConfig(config, { ...options, env, flags, include, memberName: memberNameOf(name) })
}

async function endWith(
  worker: Worker,
  owned: AsyncDisposableStack,
  isProcess: boolean,
): Promise<void> {
  const exitCode = await worker.done
  const disposed = owned.disposeAsync()
  // A group that is still leaving after a forced stop does not hold the process.
  await (isProcess ? Promise.race([disposed, sleep(systemClock, 1000)]) : disposed)
  if (isProcess) process.exit(exitCode)
}

/** For a while one handler at a time, each noted before it is called. */
function watchSuspect(noteIn: string, slots: Slots, concurrency: number, clock: Clock): () => void {
  slots.resize(1)
  let end: (() => void) | undefined = noteRunning(noteIn)
  const stop = (): void => {
    timer.cancel()
    end?.()
    end = undefined
  }
  const timer = clock.after(
    forgivenAfterMs,
    () => {
      stop()
      slots.resize(concurrency)
    },
    { unref: true },
  )
  return stop
}

/** Without a socket the worker runs as well: signals reach it, and a read-only file system is no reason to stand still. */
async function openControl(
  control: WorkerControl,
  dataFolder: string | undefined,
  child: ChildOrders | undefined,
): Promise<ControlServer | undefined> {
  if (dataFolder === undefined) return undefined
  await control.load()
  try {
    return await startControlServer(
      dataFolder,
      control.name,
      (request) => control.answer(request),
      {
        parent: child?.parent,
      },
    )
  } catch (error) {
    events.controlUnavailable.publish({ dataFolder, error })
    return undefined
  }
}

/** Whoever tries things out waits for the topic that was just made. */
const developmentPatternMs = 5000

const longestTimerMs = 2_147_483_647

const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
