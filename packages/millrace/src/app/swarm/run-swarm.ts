import { fork, type ChildProcess } from 'node:child_process'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { ResolvedConfig } from '../config/resolve-config.ts'
import {
  startControlServer,
  type ControlAnswer,
  type ControlRequest,
  type WorkerStatus,
} from '../control/index.ts'
import { startHealthServer } from '../health/index.ts'
import { installLog } from '../log/install-log.ts'
import { openLogger } from '../log/open-logger.ts'
import { metricsContentType, serveMetrics } from '../metrics/index.ts'
import type { Child, ChildSpec } from './child.ts'
import { ordersVariable, type ChildOrders } from './messages.ts'
import { metricsOfChildren } from './metrics.ts'
import type { SwarmRules } from './policy.ts'
import { Swarm } from './swarm.ts'

export interface RunSwarmOptions {
  readonly resolved: ResolvedConfig
  /** What `status` and `ps` call the parent. */
  readonly name: string
  readonly children: readonly ChildSpec[]
  /** The program that runs a worker, and its arguments. */
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly dataFolder: string | undefined
  /** What the program of a child finds in its orders. */
  readonly input?: unknown
}

/** `<host>-<n>`: the same over restarts, so that one within the session moves no partition. */
export function instanceIdOfChild(index: number, host = hostname()): string {
  return `${host}-${index}`
}

/** Runs a parent with its children to the end, as this process. @returns the exit code */
export async function runSwarm(options: RunSwarmOptions): Promise<number> {
  const { resolved, name, children, env, dataFolder } = options
  const settings = resolved.options
  await using stack = new AsyncDisposableStack()
  const level = settings['log.level']
  const environment = env['NODE_ENV']
  const logger = openLogger({ level, file: settings['log.file'], environment })
  stack.defer(
    installLog(logger, {
      groupIds: new Set(),
      clientId: resolved.clientName,
      isDevelopment: settings.createTopics,
      level,
    }),
  )
  const rules = rulesOf(resolved)
  const swarm = new Swarm({
    children,
    rules,
    clock: systemClock,
    fork: (child) => forkChild(options, child, rules),
    noteOf,
  })
  const render = (): Promise<string> => metricsOfChildren(swarm.children, systemClock)
  const port = settings['health.port']
  if (port !== undefined) {
    const host = settings['health.host']
    const live = (): ReturnType<Swarm['live']> => swarm.live()
    const pages = { '/metrics': { contentType: metricsContentType, render } }
    stack.use(await startHealthServer({ port, host, live, ready: () => swarm.ready(), pages }))
  }
  const metricsPort = settings['metrics.prometheus.port']
  if (metricsPort !== undefined) {
    const at = { host: settings['metrics.prometheus.host'], port: metricsPort }
    const { address } = stack.use(await serveMetrics(at, render))
    events.metricsListening.publish({ address })
  }
  if (dataFolder !== undefined) {
    const started = new Date().toISOString()
    const status = (): WorkerStatus => statusOf(swarm, name, started, resolved)
    try {
      stack.use(
        await startControlServer(dataFolder, name, (request) => answer(swarm, request, status)),
      )
    } catch (error) {
      events.controlUnavailable.publish({ dataFolder, error })
    }
  }
  stack.defer(handleSignals(swarm, name))
  swarm.start()
  // Awaited here: what stands around it must live until then.
  const exitCode = await swarm.done
  return exitCode
}

function rulesOf({ options }: ResolvedConfig): SwarmRules {
  return {
    reportEveryMs: options['swarm.reportEvery'],
    lookEveryMs: options['swarm.lookEvery'],
    silentAfterMs: options['swarm.silentAfter'],
    restartAfterMs: options['swarm.restartAfter'],
    memoryLimitBytes: options['swarm.memoryLimit'],
    crashLimit: options['swarm.crashLimit'],
    shutdownTimeoutMs: options['worker.shutdownTimeout'],
  }
}

function noteOf({ spec }: Child): string {
  return join(tmpdir(), `millrace-${process.pid}-${spec.index}.running`)
}

function forkChild(
  { program, args, env, input }: RunSwarmOptions,
  child: Child,
  { reportEveryMs }: SwarmRules,
): ChildProcess {
  const parent = process.pid
  const { spec, restarts, crashes } = child
  const orders: ChildOrders = {
    ...spec,
    parent,
    restarts,
    reportEveryMs,
    noteIn: child.isSuspect ? noteOf(child) : undefined,
    killers: crashes.killers,
    input,
  }
  return fork(program, [...args], {
    env: { ...env, [ordersVariable]: JSON.stringify(orders) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // Out of the terminal's reach: Ctrl-C tells the parent, which tells its children once.
    detached: true,
  })
}

function answer(swarm: Swarm, request: ControlRequest, status: () => WorkerStatus): ControlAnswer {
  switch (request.do) {
    case 'status':
    case 'dump':
    case 'reload':
      return { ok: true, document: status() }
    case 'quiet':
      swarm.quiet()
      return { ok: true, document: status() }
    case 'stop':
      void swarm.stop()
      if (request.isForced === true) void swarm.stop()
      return { ok: true, document: status() }
  }
}

function statusOf(
  swarm: Swarm,
  name: string,
  started: string,
  { clientName }: ResolvedConfig,
): WorkerStatus {
  const ready = swarm.ready().body as { readonly reasons: readonly string[] }
  const live = swarm.live()
  return {
    name,
    pid: process.pid,
    state: swarm.state,
    since: started,
    started,
    clientId: clientName,
    memoryBytes: process.memoryUsage.rss(),
    restarts: 0,
    isLive: live.isOk,
    isReady: ready.reasons.length === 0,
    reasons: ready.reasons,
    alarms: (live.body as { readonly alarms: readonly string[] }).alarms,
    groups: [],
    partitions: [],
  }
}

/** INT, TERM, QUIT: stop, twice: at once. TSTP: quiet. HUP: rolling restart. TTIN: dump, the children's too. */
function handleSignals(swarm: Swarm, name: string): () => void {
  const handlers: (readonly [NodeJS.Signals, () => void])[] = []
  const on = (signal: NodeJS.Signals, action: () => string, then: () => unknown): void => {
    const handler = (): void => {
      events.processSignal.publish({ signal, action: action() })
      void then()
    }
    process.on(signal, handler)
    handlers.push([signal, handler])
  }
  const entitle = (state: string): void => void (process.title = `millrace ${name} [${state}]`)
  entitle(swarm.state)
  const untitle = events.appState.subscribe(({ state }) => entitle(state))
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const)
    on(
      signal,
      () => (swarm.state === 'stopping' ? 'stopping at once' : 'stopping'),
      () => swarm.stop(),
    )
  if (process.platform !== 'win32') {
    if (!process.stdin.isTTY)
      on(
        'SIGTSTP',
        () => 'finishing what is in hand',
        () => swarm.quiet(),
      )
    on(
      'SIGHUP',
      () => 'starting the children anew, one by one',
      () => swarm.roll(),
    )
    on(
      'SIGTTIN',
      () => 'status on standard error',
      () => {
        process.stderr.write(`${JSON.stringify(swarm.dump(), null, 2)}\n`)
        for (const child of swarm.children) child.signal('SIGTTIN')
      },
    )
  }
  return () => {
    untitle()
    for (const [signal, handler] of handlers) process.removeListener(signal, handler)
  }
}
