import type { Slots } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { ConsumerPlan } from '../consumer/plan.ts'
import type { DeliveredMessage } from '../message/message.ts'
import type { Call } from '../middleware/middleware.ts'
import { outcomeOf } from '../outcome.ts'
import type { Topic } from '../topic/define-topic.ts'
import type { Departures } from './departures.ts'
import type { OwnerEnvironment } from './environment.ts'
import { JobContext, type JobOwner } from './job-context.ts'
import { JobWatch } from './job-watch.ts'
import type { PartitionState } from './partition-state.ts'
import type { Place } from './place.ts'
import type { JobResult, Settlement } from './settlement.ts'

/** What the runner needs of the owner around it. */
export interface RunnerHost {
  /** Nothing is to be started, and nothing more to be written. */
  isStopped(): boolean
  isEnding(): boolean
  /** What is in hand will be dropped. */
  isSeeking(): boolean
  sleep(untilMs: number, other?: (signal: AbortSignal) => Promise<unknown>): Promise<void>
  /** Calls the handler so that errors it leaves behind can be told to be its own. */
  enter?(call: () => unknown): unknown
}

type JobPlace = Place & {
  readonly offset: number
  readonly messages: number
  readonly attempt: number
}

/** Handler calls of one partition, from the slot to the settlement: what is watched, published and aborted. */
export class JobRunner {
  /** In the order of their starts. */
  readonly running = new Set<JobContext>()
  readonly #plan: ConsumerPlan
  readonly #topic: Topic
  readonly #state: PartitionState
  readonly #departures: Departures
  readonly #settlement: Settlement
  /** The worker's, or the consumer's own where its handlers run elsewhere. */
  readonly #slots: Slots
  readonly #owner: JobOwner
  readonly #call: Call
  readonly #host: RunnerHost
  readonly #watch: JobWatch<JobContext>

  constructor(parts: {
    readonly state: PartitionState
    readonly departures: Departures
    readonly settlement: Settlement
    readonly env: OwnerEnvironment
    readonly owner: JobOwner
    readonly call: Call
    readonly host: RunnerHost
  }) {
    this.#state = parts.state
    this.#plan = parts.state.plan
    this.#topic = parts.state.topic
    this.#departures = parts.departures
    this.#settlement = parts.settlement
    this.#slots = this.#plan.slots ?? parts.env.slots
    this.#owner = parts.owner
    this.#call = parts.call
    this.#host = parts.host
    this.#watch = new JobWatch(parts.env.clock, this.#plan, this.running, {
      onTimeout: (job) => job.abort('timeout'),
      onSlow: (job, durationMs) => {
        if (events.jobSlow.isHeard) events.jobSlow.publish({ ...this.#facts(job), durationMs })
      },
    })
  }

  tryTakeSlot(): boolean {
    return this.#slots.tryTake()
  }

  /** True with a slot in hand; false when the loop was woken first, or has stopped meanwhile. */
  async waitForSlot(): Promise<boolean> {
    const slots = this.#slots
    const aborter = new AbortController()
    const taking = slots.take(aborter.signal)
    await this.#host.sleep(Infinity, () => taking)
    aborter.abort()
    // A slot that was handed out in the turn of the wake is ours all the same.
    const isTaken = await taking
    if (isTaken && this.#host.isStopped()) {
      slots.release()
      return false
    }
    return isTaken
  }

  releaseSlot(): void {
    this.#slots.release()
  }

  /**
   * One handler call, with a slot in hand, which is given back. Never rejects.
   * @returns the wait before what is unfinished comes again; undefined when nothing asks for one
   */
  async run(messages: readonly DeliveredMessage[], sinceMs: number): Promise<number | undefined> {
    const state = this.#state
    const attempt = state.attempts.failedAt((messages[0] as DeliveredMessage).offset) + 1
    const job = new JobContext(this.#owner, messages, attempt, sinceMs, state.now())
    this.running.add(job)
    this.#watch.begin(job)
    if (events.jobStarted.isHeard) events.jobStarted.publish(this.#facts(job))
    if (attempt > 1 && events.consumerRetrying.isHeard)
      events.consumerRetrying.publish(this.#facts(job))

    let result: JobResult
    try {
      let returned = this.#topic.decodesAhead ? this.#prepareAndCall(job) : this.#enter(job)
      if (isThenable(returned)) returned = await returned
      const sends = job.pendingSends
      if (sends !== undefined) await sends
      result = { kind: 'returned', outcome: outcomeOf(returned) }
    } catch (error) {
      result = { kind: 'thrown', error }
    }
    const settling = this.#settle(job, result)
    const retryInMs = typeof settling === 'object' ? await settling : settling
    this.#end(job)
    if (this.#departures.isEmpty || this.#host.isEnding()) return retryInMs
    const resendInMs = await this.#departures.sendAll(messages)
    return resendInMs === undefined ? retryInMs : Math.max(resendInMs, retryInMs ?? 0)
  }

  abortAll(): void {
    for (const job of this.running) job.abort('stop')
  }

  /** Their handlers are left behind. */
  tellStuck(): void {
    if (!events.jobStuck.isHeard) return
    for (const job of this.running) {
      const durationMs = this.#state.now() - job.startedAt
      events.jobStuck.publish({ ...this.#facts(job), durationMs })
    }
  }

  stop(): void {
    this.#watch.stop()
  }

  /** Everything of a job is over before its slot is free, also an `onError` that takes its time. */
  #end(job: JobContext): void {
    this.running.delete(job)
    this.#slots.release()
  }

  #settle(job: JobContext, result: JobResult): Promise<number | undefined> | number | undefined {
    // A handler that threw because its signal aborted has not failed: its message comes again elsewhere.
    const isInterrupted = result.kind === 'thrown' && job.abortedBy === 'stop'
    const isDropped = isInterrupted || !this.#state.isOwned
    if (events.jobFinished.isHeard) this.#publishFinished(job, result, isDropped)
    if (isDropped || (this.#host.isSeeking() && result.kind === 'returned')) return undefined
    return this.#settlement.settle(job, result)
  }

  async #prepareAndCall(job: JobContext): Promise<unknown> {
    for (const message of job.messages) await message.prepare()
    return this.#enter(job)
  }

  #enter(job: JobContext): unknown {
    const call = (): unknown =>
      this.#call({
        context: job,
        topic: this.#topic.name,
        partition: this.#state.source.partition,
        messages: job.messages,
      })
    return this.#host.enter === undefined ? call() : this.#host.enter(call)
  }

  #publishFinished(job: JobContext, result: JobResult, isDropped: boolean): void {
    const hasFailed =
      result.kind === 'thrown' ||
      job.abortedBy === 'timeout' ||
      (result.outcome !== undefined && result.outcome.kind !== 'skip')
    const now = this.#state.now()
    events.jobFinished.publish({
      ...this.#facts(job),
      result: isDropped ? 'dropped' : hasFailed ? 'failed' : 'done',
      durationMs: now - job.startedAt,
      timeLagMs: now - (job.messages[0]?.timestamp ?? now),
      lag: this.#state.lag,
    })
  }

  #facts(job: JobContext): JobPlace {
    const offset = job.messages[0]?.offset ?? this.#state.source.position
    const { place } = this.#state
    return { ...place, offset, messages: job.messages.length, attempt: job.attempt }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}
