import { failure } from '../../errors/index.ts'
import { deferred, parseDuration, type Clock, type Duration } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Clients } from '../clusters/index.ts'
import type { ResolvedConfig } from '../config/resolve-config.ts'
import type { WorkerHealth } from '../health/index.ts'
import type { OwnerReport, OwnerState, PartitionOwner } from '../owner/partition-owner.ts'
import type { Runnable } from '../ports.ts'
import type { AppProducer } from '../produce/app-producer.ts'
import type { GroupRunner } from './group-runner.ts'
import { HealthWatch } from './health-watch.ts'
import { publishState } from './publish-state.ts'

/** One way, in this order; `quieting` and `quiet` only when asked for. */
export type WorkerState =
  | 'initializing'
  | 'initialized'
  | 'running'
  | 'quieting'
  | 'quiet'
  | 'stopping'
  | 'stopped'
  | 'terminated'

export interface PartitionStatus {
  readonly group: string
  readonly consumer: string
  readonly topic: string
  readonly partition: number
  readonly position: number
  readonly lag: number
  readonly state: OwnerState
  /** The running handler calls, one line each. */
  readonly jobs: readonly string[]
  readonly lanes: OwnerReport['lanes']
  /** When the partition's loop last had a turn, epoch milliseconds. */
  readonly lastPollAtMs: number
  /** At this offset for more than five minutes. */
  readonly stuck: OwnerReport['stuck']
}

/** A running worker. */
export interface Worker extends AsyncDisposable {
  readonly state: WorkerState
  /** The application's producer; closed with the worker. */
  readonly producer: AppProducer
  /** Resolves when the worker has ended, with the exit code: 0 clean, 1 critical or fatal, 2 forced, 3 orphaned by its parent. */
  readonly done: Promise<number>
  readonly partitions: readonly PartitionStatus[]
  /** Where the health endpoint answers, `127.0.0.1:8080`; undefined without `health.port`. */
  readonly healthAddress: string | undefined
  /** Where `GET /metrics` answers; undefined without `metrics.prometheus.port`. */
  readonly metricsAddress: string | undefined
  /** Live, ready, and why not; what the brokers know of the lag comes with the first answer of theirs. */
  health(): WorkerHealth
  /** Finishes what is in hand, takes no more, keeps its partitions: no rebalance. */
  quiet(): Promise<void>
  /**
   * Stops in good order; a second call while it runs forces it.
   * @param options.timeout - default `worker.shutdownTimeout`
   * @returns the exit code
   */
  stop(options?: { readonly timeout?: Duration }): Promise<number>
  /** Commits what is finished now, instead of at the next interval. */
  commit(): Promise<boolean>
  /**
   * For tests: as after a crash nothing more is finished or committed. The groups are left at once, so that nobody
   * waits for the session's end.
   */
  kill(): Promise<void>
  /** Pauses a topic, or one partition of it, until `resume`: nothing more is handled there, the partition is kept. */
  pause(topic: string, partition?: number): void
  /** Ends a pause, a back-off or a block of a topic or one partition of it; a blocked message is tried again. */
  resume(topic: string, partition?: number): void
  /** Handler calls at once; running ones are not touched. */
  setConcurrency(calls: number): void
}

interface Parts {
  readonly clock: Clock
  readonly resolved: ResolvedConfig
  readonly clients: Clients
  readonly producer: AppProducer
  readonly groups: readonly GroupRunner[]
  readonly runnables: readonly Runnable[]
  readonly setConcurrency: (calls: number) => void
}

export class RunningWorker implements Worker {
  readonly #parts: Parts
  readonly #done = deferred<number>()
  readonly #force = deferred()
  #state: WorkerState = 'initializing'
  #stopping: Promise<number> | undefined
  #wanted: 0 | 1 | 3 = 0
  /** Handlers that ignored their signal, while their partitions are given up around them. */
  #leftBehind: readonly string[] = []
  #fatal: string | undefined
  readonly healthWatch: HealthWatch
  healthAddress: string | undefined
  metricsAddress: string | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.healthWatch = new HealthWatch(parts, () => ({ state: this.#state, fatal: this.#fatal }))
  }

  get state(): WorkerState {
    return this.#state
  }

  get producer(): AppProducer {
    return this.#parts.producer
  }

  get done(): Promise<number> {
    return this.#done.promise
  }

  get partitions(): readonly PartitionStatus[] {
    return this.#owners.map((owner) => ({
      group: owner.plan.group,
      consumer: owner.plan.name,
      topic: owner.topic.name,
      partition: owner.source.partition,
      position: owner.source.position,
      lag: owner.lag,
      jobs: owner.describeJobs(),
      ...statusOf(owner.report()),
    }))
  }

  health(): WorkerHealth {
    return this.healthWatch.look()
  }

  get groups(): readonly GroupRunner[] {
    return this.#parts.groups
  }

  enter(state: WorkerState): void {
    const before = this.#state
    this.#state = state
    publishState(state, before)
  }

  async quiet(): Promise<void> {
    if (this.#state !== 'running') return
    this.enter('quieting')
    for (const group of this.#parts.groups) group.quiet()
    await this.#untilDry()
    if ((this.#state as WorkerState) === 'quieting') this.enter('quiet')
  }

  stop(options: { readonly timeout?: Duration } = {}): Promise<number> {
    if (this.#stopping !== undefined) {
      this.#force.resolve()
      return this.#stopping
    }
    const given = options.timeout === undefined ? undefined : parseDuration(options.timeout)
    this.#stopping = this.#stop(given ?? this.#parts.resolved.options['worker.shutdownTimeout'])
    return this.#stopping
  }

  /** A graceful stop that ends with exit code 1. @param type - of the error event; undefined when it was published */
  fail(error: unknown, type: string | undefined = 'worker'): void {
    this.#wanted = 1
    this.#fatal ??= error instanceof Error ? error.message : String(error)
    if (type !== undefined) events.error.publish({ type, error })
    if (this.#stopping === undefined) void this.stop()
  }

  /** A graceful stop that ends with exit code 3. */
  orphaned(): void {
    if (this.#wanted === 0) this.#wanted = 3
    if (this.#stopping === undefined) void this.stop()
  }

  async commit(): Promise<boolean> {
    const results = await Promise.all(this.#parts.groups.map((group) => group.commit()))
    return results.every(Boolean)
  }

  async kill(): Promise<void> {
    this.#stopping ??= this.#done.promise
    for (const owner of this.#owners) owner.release()
    await Promise.all(this.#parts.groups.map((group) => group.leave(1000)))
    await this.#parts.producer.close({ timeout: 0 })
    await this.#parts.clients.close({ timeoutMs: 0 })
    // Nothing that they do reaches a broker any more; their timers must go too.
    await Promise.allSettled(this.#parts.runnables.map(async (one) => one.stop({ timeoutMs: 0 })))
    this.enter('terminated')
    this.#done.resolve(2)
  }

  pause(topic: string, partition?: number): void {
    for (const owner of this.#ownersOf(topic, partition)) owner.pause(undefined)
  }

  resume(topic: string, partition?: number): void {
    for (const owner of this.#ownersOf(topic, partition)) owner.resume()
  }

  #ownersOf(topic: string, partition: number | undefined): readonly PartitionOwner[] {
    return this.#owners.filter(
      (owner) =>
        owner.topic.name === topic &&
        (partition === undefined || owner.source.partition === partition),
    )
  }

  setConcurrency(calls: number): void {
    this.#parts.setConcurrency(calls)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (this.#stopping ?? this.stop())
  }

  get #owners(): readonly PartitionOwner[] {
    return this.#parts.groups.flatMap((group) => [...group.owners])
  }

  async #untilDry(): Promise<void> {
    const { clock } = this.#parts
    while (this.#state === 'quieting' && this.#owners.some((owner) => !owner.isDry))
      await new Promise<void>((resolve) => clock.after(50, resolve))
  }

  async #stop(timeoutMs: number): Promise<number> {
    const { clock, resolved } = this.#parts
    const startedMs = clock.monotonicMs()
    this.enter('stopping')
    const deadline = deferred()
    const timer = clock.after(timeoutMs, () => deadline.resolve())
    const left = (): number => Math.max(0, timeoutMs - (clock.monotonicMs() - startedMs))
    const graceful = this.#stopInOrder(timeoutMs, left)
    const isForced = await Promise.race([
      graceful.then(
        (leftBehind) => leftBehind,
        (error: unknown) => {
          events.error.publish({ type: 'worker', error })
          return false
        },
      ),
      deadline.promise.then(() => true),
      this.#force.promise.then(() => true),
    ])
    timer.cancel()
    if (isForced) await this.#terminate()
    try {
      await resolved.app.hooks?.beforeClose?.()
    } catch (error) {
      events.error.publish({ type: 'hook.beforeClose', error })
      this.#wanted = 1
    }
    const exitCode = this.#wanted === 1 ? 1 : isForced ? 2 : this.#wanted
    this.enter(isForced ? 'terminated' : 'stopped')
    const durationMs = clock.monotonicMs() - startedMs
    events.appStopped.publish({ pid: process.pid, durationMs, exitCode })
    this.#done.resolve(exitCode)
    return exitCode
  }

  /** True when handlers were left behind. Each step has its share of the time that is left. */
  async #stopInOrder(timeoutMs: number, left: () => number): Promise<boolean> {
    const { groups, producer, clients } = this.#parts
    // Handlers have until 5 s before the deadline, then they are told; the last second is for what follows.
    const abortAfterMs = Math.max(timeoutMs - 5000, timeoutMs / 2)
    const giveUpMs = Math.max(timeoutMs - abortAfterMs - 1000, timeoutMs / 4)
    await Promise.all(groups.map((group) => group.finish(abortAfterMs, giveUpMs)))
    this.#leftBehind = this.#running()
    // With the brokers away each of these waits in vain, so each gets half of what is left at most.
    const share = (mostMs: number): number => Math.min(left() / 2, mostMs)
    await this.#stopRunnables(share(30_000))
    await this.#flush(share(10_000))
    await Promise.all(groups.map((group) => group.commitFinally(share(9000))))
    await Promise.all(groups.map((group) => group.leave(share(10_000))))
    await producer.close({ timeout: share(1000) })
    await clients.close({ timeoutMs: share(5000) })
    return this.#leftBehind.length > 0
  }

  /** One that fails to stop must not keep the others, or the last commit, from their turn. */
  async #stopRunnables(timeoutMs: number): Promise<void> {
    const { runnables } = this.#parts
    const ends = await Promise.allSettled(runnables.map(async (one) => one.stop({ timeoutMs })))
    for (const end of ends) {
      if (end.status === 'fulfilled') continue
      events.error.publish({ type: 'runnable', error: end.reason })
      this.#wanted = 1
    }
  }

  async #flush(timeoutMs: number): Promise<void> {
    try {
      await this.#parts.producer.flush({ timeout: timeoutMs })
    } catch (error) {
      // What is left is reported one by one when the producer closes.
      events.error.publish({ type: 'producer', error })
    }
  }

  async #terminate(): Promise<void> {
    const running = this.#leftBehind.length > 0 ? this.#leftBehind : this.#running()
    const error = failure('MR_WORKER_FORCED_STOP', { running })
    events.appForced.publish({ running, error })
    events.error.publish({ type: 'worker', error })
    for (const owner of this.#owners) owner.release()
    await Promise.race([
      Promise.allSettled([
        this.#parts.producer.close({ timeout: 0 }),
        this.#parts.clients.close({ timeoutMs: 0 }),
      ]),
      new Promise<void>((resolve) => this.#parts.clock.after(1000, resolve)),
    ])
  }

  #running(): readonly string[] {
    return this.#owners.flatMap((owner) => owner.describeJobs())
  }
}

function statusOf(report: OwnerReport): Omit<OwnerReport, 'jobs' | 'failing'> {
  const { state, lanes, lastPollAtMs, stuck } = report
  return { state, lanes, lastPollAtMs, stuck }
}
