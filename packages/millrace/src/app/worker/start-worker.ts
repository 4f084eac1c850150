import { hostname } from 'node:os'

import type { Client } from '../../client/index.ts'
import { isFailure } from '../../errors/index.ts'
import { systemClock, sleep, type Clock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { MillraceConfig } from '../config/define-config.ts'
import { resolveConfig, type ResolvedConfig } from '../config/resolve-config.ts'
import { sendLetter } from '../dead-letter/send-letter.ts'
import { installLog } from '../log/install-log.ts'
import { openLogger } from '../log/open-logger.ts'
import { Slots } from '../owner/slots.ts'
import type { Logger, Runnable } from '../ports.ts'
import { forgetProducer, setCurrentProducer } from '../produce/current-producer.ts'
import { openAppClient, producerOf } from '../produce/open-producer.ts'
import { breath } from './breath.ts'
import { createDeclaredTopics } from './create-topics.ts'
import { GroupRunner, type WorkerEnvironment } from './group-runner.ts'
import { watchLoopDelay } from './loop-delay.ts'
import { handleProcess } from './process-handlers.ts'
import { enterJob } from './running-jobs.ts'
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
  readonly flags?: Readonly<Record<string, unknown>>
  /** Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Where log lines go; false for none. Default: pretty on a terminal, else JSON lines. */
  readonly log?: Logger | false
  /** Started after the groups have joined, stopped before the last commit. */
  readonly runnables?: readonly Runnable[]
  readonly clock?: Clock
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
  const resolved = resolveConfig(config, { ...options, env })
  const settings = resolved.options
  const isDevelopment = options.createTopics ?? settings.createTopics
  const logger =
    options.log === false
      ? undefined
      : (options.log ?? openLogger({ level: settings['log.level'], file: settings['log.file'] }))
  await using stack = new AsyncDisposableStack()
  if (logger !== undefined) {
    const groupIds = new Set(resolved.plans.map(({ groupId }) => groupId))
    const { clientId } = settings
    const level = settings['log.level']
    stack.defer(installLog(logger, { groupIds, clientId, isDevelopment, level }))
  }
  const { hooks } = resolved.app
  await hooks?.initialized?.()
  events.appInitialized.publish({ clientId: settings.clientId })
  await hooks?.beforeStart?.()

  const client = stack.use(openAppClient(resolved, clock))
  const producer = producerOf(resolved, client, clock)
  stack.defer(() => producer.close({ timeout: 0 }))
  setCurrentProducer(producer)
  stack.defer(() => forgetProducer(producer))

  const slots = new Slots(settings['worker.concurrency'])
  const environment: WorkerEnvironment = {
    clock,
    random: Math.random,
    slots,
    log: logger ?? silentLogger,
    workerName: `${hostname()}-${process.pid}`,
    send: producer.send,
    sendLetter: (letter) => sendLetter(letter, producer.sendRaw),
    onCritical: (_owner, error) => worker.fail(error, undefined),
    breathe: breath(),
    ...(signals ? { enter: enterJob } : {}),
  }
  const groups = [...Map.groupBy(resolved.plans, ({ group }) => group).values()].map(
    (plans) => new GroupRunner(plans, resolved, environment, (error) => worker.fail(error)),
  )
  const { runnables = [] } = options
  const worker = new RunningWorker({
    clock,
    resolved,
    client,
    producer,
    groups,
    runnables,
    setConcurrency: (calls) => slots.resize(calls),
  })
  worker.enter('initialized')
  if (signals) stack.defer(handleProcess(worker))
  stack.defer(
    watchLoopDelay(settings.session, () => worker.partitions.flatMap(({ job }) => job ?? [])),
  )

  stack.defer(async () => void (await Promise.all(groups.map((group) => group.leave(0)))))
  await joinAll(groups, resolved, {
    client,
    clock,
    isDevelopment,
    fail: (error) => worker.fail(error),
  })
  const starting = new AbortController()
  for (const runnable of runnables) {
    if (worker.state !== 'initialized') break
    await runnable.start({ signal: starting.signal })
  }
  // A handler may have told it to stop by now.
  if (worker.state === 'initialized') {
    worker.enter('running')
    events.workerRunning.publish({
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

const longestTimerMs = 2_147_483_647

/** Waits for the groups, but not for ever: with the brokers away they go on in the background. */
async function joinAll(
  groups: readonly GroupRunner[],
  resolved: ResolvedConfig,
  around: {
    readonly client: Client
    readonly clock: Clock
    readonly isDevelopment: boolean
    readonly fail: (error: unknown) => void
  },
): Promise<void> {
  const { client, clock, isDevelopment, fail } = around
  const timeoutMs = resolved.options['worker.startTimeout']
  const join = async (): Promise<void> => {
    if (isDevelopment) await createTopics(client, resolved)
    await Promise.all(groups.map((group) => group.join(client)))
  }
  const limit = new AbortController()
  const joined = join()
  try {
    await Promise.race([joined, sleep(clock, timeoutMs, limit.signal)])
  } finally {
    limit.abort(new Error('joined'))
  }
  // A group that cannot be joined ends the worker, early or late; one that was closed meanwhile has ended with it.
  joined.catch((error: unknown) => {
    if (!isFailure(error, 'MR_GROUP_CLOSED', 'MR_CLIENT_CLOSED')) fail(error)
  })
}

/** Tries for as long as the brokers are away: a group that came first would let the broker create topics as it likes. */
async function createTopics(client: Client, resolved: ResolvedConfig): Promise<void> {
  for (;;) {
    try {
      await createDeclaredTopics(client.admin, resolved, { timeoutMs: 30_000 })
      return
    } catch (error) {
      if (isFailure(error, 'MR_CLIENT_CLOSED')) throw error
      if (isFailure(error) && error.retriable) continue
      // Refused, as where this application may not create topics; its groups find them when somebody has.
      events.error.publish({ type: 'topics', error })
      return
    }
  }
}

const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }
