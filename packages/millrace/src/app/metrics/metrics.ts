import type { OptionValues } from '../../config/index.ts'
import { failure } from '../../errors/index.ts'
import type { Clock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { metricsOptions } from './options.ts'
import { openExposition, type Exposition } from './prometheus.ts'
import { Recorder, type Readings } from './recorder.ts'
import { StatsdSender, type StatsdTarget } from './send-statsd.ts'
import { serveMetrics } from './serve.ts'
import { metricTable } from './table.ts'

export interface MetricsSettings {
  readonly options: OptionValues<typeof metricsOptions>
  readonly clientId: string
  readonly clock: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  /** Somebody serves it, whether or not `metrics.collect` is set. */
  readonly isServed?: boolean
}

export interface RunningMetrics extends AsyncDisposable {
  /** Gauges that are read when somebody asks. */
  readonly read: (readings: Readings) => void
  /** Opens `metrics.prometheus.port`. Resolves with the address. @throws MR_METRICS_LISTEN */
  readonly serve: () => Promise<string | undefined>
}

/** What is counted belongs to the process: the same events are heard by every worker and producer in it. */
interface Shared {
  readonly recorder: Recorder
  readonly sender: StatsdSender
  readonly exposition: () => Exposition
  users: number
}

let shared: Shared | undefined

/**
 * Counts from now on, and tells whom the settings name. Undefined when they name nobody: then nothing is subscribed
 * to, and no message costs anything.
 */
export function openMetrics(settings: MetricsSettings): RunningMetrics | undefined {
  const { options, clientId, clock, env, isServed = false } = settings
  const targets = statsdTargets(options, env)
  if (!isServed && !options['metrics.collect'] && targets.length === 0) return undefined
  const own = (shared ??= open(options, clientId, clock))
  own.users++
  const stack = new AsyncDisposableStack()
  stack.defer(() => {
    own.users--
    if (own.users > 0) return
    own.recorder.stop()
    if (shared === own) shared = undefined
  })
  for (const target of targets) stack.defer(own.sender.add(target))
  return {
    read: (readings) => void stack.defer(own.recorder.addReadings(readings)),
    async serve() {
      const port = options['metrics.prometheus.port']
      if (port === undefined) return undefined
      const at = { host: options['metrics.prometheus.host'], port }
      const { address } = stack.use(await serveMetrics(at, () => own.exposition().render()))
      events.metricsListening.publish({ address })
      return address
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/**
 * What was counted in this process so far, in Prometheus' text format; its content type is `metricsContentType`.
 * A worker serves it by itself; a web application answers its `/metrics` with it.
 * @throws MR_METRICS_OFF
 */
export async function renderMetrics(): Promise<string> {
  if (shared === undefined) throw failure('MR_METRICS_OFF', {})
  return shared.exposition().render()
}

function open(options: MetricsSettings['options'], clientId: string, clock: Clock): Shared {
  const recorder = new Recorder(metricTable, clientId)
  let exposition: Exposition | undefined
  return {
    recorder,
    sender: new StatsdSender(recorder, options['metrics.interval'], clock),
    exposition: () => (exposition ??= openExposition(recorder, options['metrics.prefix'])),
    users: 0,
  }
}

function statsdTargets(
  options: MetricsSettings['options'],
  env: MetricsSettings['env'],
): readonly StatsdTarget[] {
  const targets: StatsdTarget[] = []
  const prefix = options['metrics.prefix']
  const statsd = options['metrics.statsd.host']
  if (statsd !== undefined)
    targets.push({
      flavour: 'statsd',
      host: statsd,
      port: options['metrics.statsd.port'],
      prefix,
      tags: [],
    })
  const dogstatsd = options['metrics.dogstatsd.host']
  if (dogstatsd !== undefined)
    targets.push({
      flavour: 'dogstatsd',
      host: dogstatsd,
      port: options['metrics.dogstatsd.port'],
      prefix,
      tags: [...options['metrics.tags'], ...unifiedTags(env)],
    })
  return targets
}

/** Datadog's unified service tagging. */
function unifiedTags(env: MetricsSettings['env']): readonly string[] {
  return (['env', 'service', 'version'] as const).flatMap((name) => {
    const value = env[`DD_${name.toUpperCase()}`]
    return value === undefined || value === '' ? [] : [`${name}:${value}`]
  })
}
