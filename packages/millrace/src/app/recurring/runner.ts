import type { Client, OwnedPartition, Producer } from '../../client/index.ts'
import { failure } from '../../errors/index.ts'
import { parseDuration, type Clock, type Timer } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import { followPartition, OwnedTopic } from '../owned-topic/index.ts'
import { reasonOf } from '../owner/describe.ts'
import type { Logger, Runnable, RunnableContext } from '../ports.ts'
import type { Send } from '../produce/sendable.ts'
import type { Topic } from '../topic/define-topic.ts'
import { cronTimes, type CronTimes } from './cron.ts'
import { highestVersion } from './highest-version.ts'
import type { RecurringJob, RecurringSchedule, RunReason } from './options.ts'
import { decide, newJob, type JobState } from './policy.ts'
import {
  RecurringRecords,
  type RecurringTopics,
  type RunRecord,
  type StateRecord,
} from './records.ts'

export interface GroupSettings {
  readonly groupId: string
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
}

/** Runs an app's recurring jobs in whichever of its workers owns their topic's one partition. */
export class RecurringRunner implements Runnable {
  readonly name = 'recurring'
  readonly #schedule: Required<RecurringSchedule>
  readonly #topics: RecurringTopics
  readonly #group: GroupSettings
  #owned: OwnedTopic | undefined
  #writer: Producer | undefined

  constructor(
    schedule: Required<RecurringSchedule>,
    topics: RecurringTopics,
    group: GroupSettings,
  ) {
    this.#schedule = schedule
    this.#topics = topics
    this.#group = group
  }

  start({ producer, clients, clock, log, workerName, wireName }: RunnableContext): Promise<void> {
    const client = clients.main
    const { version } = this.#schedule
    // Acknowledged by all, whatever the app has set: what is begun must be known to the next owner.
    const writer = clients.producers.producer({ acks: -1 })
    this.#writer = writer
    const parts: Parts = {
      writer,
      wireName,
      client,
      clock,
      log,
      workerName,
      send: producer.send,
      topics: this.#topics,
    }
    this.#owned = new OwnedTopic({
      client,
      clock,
      ...this.#group,
      topic: wireName(this.#topics.jobs.name),
      assignors: [highestVersion(version)],
      type: 'recurring',
      own: (partition, ending, given) =>
        // A topic that somebody else has made may have more partitions, and must not have more runners.
        partition.partition === 0
          ? new Tenure(this.#schedule, parts, ending, given).run(partition)
          : untilAborted(ending),
    })
    this.#owned.start()
    return Promise.resolve()
  }

  async stop({ timeoutMs }: { readonly timeoutMs: number }): Promise<void> {
    await this.#owned?.stop(timeoutMs)
    await this.#writer?.close({ timeoutMs: 0 })
  }

  health(): ReturnType<Runnable['health']> {
    const cause = this.#owned?.failure
    const reasons = cause === undefined ? [] : [`recurring jobs cannot run: ${reasonOf(cause)}`]
    return { isLive: true, isReady: reasons.length === 0, reasons }
  }
}

interface Parts {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly workerName: string
  /** For jobs. */
  readonly send: Send
  readonly writer: Producer
  readonly wireName: (topic: string) => string
  readonly topics: RecurringTopics
}

/**
 * The time for which this worker runs the jobs.
 *
 *     what the topic says -> decide -> "begun" is written -> the job runs -> "ended" and the run log are written
 *
 * "Begun" is acknowledged before the job starts, so that after a kill -9 the next owner knows about it.
 */
class Tenure {
  readonly #jobs: ReadonlyMap<string, { readonly job: RecurringJob; readonly times: CronTimes }>
  readonly #schedule: Required<RecurringSchedule>
  readonly #parts: Parts
  /** Nothing begins any more. */
  readonly #signal: AbortSignal
  /** What runs is out of time. */
  readonly #given: AbortSignal
  readonly #records = new RecurringRecords()
  readonly #states = new Map<string, JobState>()
  readonly #running = new Map<string, Promise<void>>()
  #timer: Timer | undefined
  #isReady = false

  constructor(
    schedule: Required<RecurringSchedule>,
    parts: Parts,
    ending: AbortSignal,
    given: AbortSignal,
  ) {
    this.#schedule = schedule
    this.#parts = parts
    this.#signal = ending
    this.#given = given
    this.#jobs = new Map(
      schedule.jobs.map((job) => [job.name, { job, times: cronTimes(job.cron, job.timeZone) }]),
    )
  }

  async run(partition: OwnedPartition): Promise<void> {
    try {
      await followPartition(this.#parts.client, partition, this.#signal, {
        onMessage: ({ key, value }) => {
          this.#records.add(key, value)
          // Somebody asks for a run, or lets a job be.
          if (this.#isReady) this.#look()
        },
        onCaughtUp: () => {
          for (const [name, state] of this.#records.states) this.#states.set(name, state)
          this.#isReady = true
          this.#tick()
        },
      })
    } finally {
      this.#timer?.cancel()
      await Promise.all(this.#running.values())
    }
  }

  #tick(): void {
    if (this.#signal.aborted) return
    this.#look()
    const tickMs = parseDuration(this.#schedule.tick) ?? 15_000
    this.#timer?.cancel()
    this.#timer = this.#parts.clock.after(tickMs, () => this.#tick())
  }

  /** At every job that does not run; none waits for another. */
  #look(): void {
    for (const name of this.#jobs.keys()) {
      if (this.#signal.aborted || this.#running.has(name)) continue
      const turn = this.#turn(name)
      if (turn === undefined) continue
      const running = turn
        .catch((error: unknown) => events.error.publish({ type: 'recurring', error }))
        .finally(() => this.#running.delete(name))
      this.#running.set(name, running)
    }
  }

  /** What there is to do about a job now; undefined for nothing. */
  #turn(name: string): Promise<void> | undefined {
    const { job, times } = this.#jobs.get(name) as { job: RecurringJob; times: CronTimes }
    const nowMs = this.#parts.clock.now()
    const state = this.#states.get(name)
    if (state === undefined) return this.#keep(job, newJob(nowMs))
    const request = this.#records.request(name)
    const isEnabled = this.#records.isEnabled(name)
    const decision = decide({ state, times, missed: job.missed, isEnabled, request, nowMs })
    switch (decision.kind) {
      case 'wait':
        return undefined
      case 'drop':
        return this.#drop(job, state, decision, isEnabled)
      case 'run':
        return this.#runJob(job, state, decision, request?.id ?? null)
    }
  }

  async #drop(
    job: RecurringJob,
    state: JobState,
    { throughMs, isKilled }: { readonly throughMs: number; readonly isKilled: boolean },
    isEnabled: boolean,
  ): Promise<void> {
    const dueMs = isKilled ? (state.running?.dueMs ?? throughMs) : throughMs
    await this.#keep(job, { ...state, throughMs, running: null })
    if (!isEnabled && !isKilled) return
    const result = isKilled ? 'killed' : 'dropped'
    const startedMs = state.running?.startedAtMs
    await this.#log(job, {
      reason: 'due',
      result,
      dueMs,
      startedMs,
      endedMs: undefined,
      error: undefined,
    })
  }

  async #runJob(
    job: RecurringJob,
    state: JobState,
    { reason, dueMs }: { readonly reason: RunReason; readonly dueMs: number },
    requestId: string | null,
  ): Promise<void> {
    const { clock, workerName } = this.#parts
    const startedMs = clock.now()
    const throughMs = reason === 'hand' ? state.throughMs : Math.max(state.throughMs, dueMs)
    const dealt = reason === 'hand' ? { requestId } : {}
    const begun = { dueMs, startedAtMs: startedMs, worker: workerName }
    await this.#keep(job, { ...state, ...dealt, throughMs, running: begun })
    if (this.#signal.aborted) return
    const failed = await this.#call(job, reason, dueMs)
    const endedMs = clock.now()
    const durationMs = endedMs - startedMs
    const facts = { job: job.name, reason, dueMs, lateMs: startedMs - dueMs, durationMs }
    if (failed === undefined) events.recurringRan.publish(facts)
    else {
      events.recurringFailed.publish({ ...facts, error: failed.error })
      events.error.publish({ type: 'recurring', error: failed.error })
    }
    const ended = { ...state, ...dealt, throughMs, running: null }
    // It has run, whether or not the topic can be told; who finds it begun there will run it again.
    this.#states.set(job.name, ended)
    await this.#keep(job, ended)
    const result = failed === undefined ? 'done' : 'failed'
    await this.#log(job, { reason, result, dueMs, startedMs, endedMs, error: failed?.cause })
  }

  /** What the job threw, in a box: it may have thrown undefined. */
  async #call(
    { name, run }: RecurringJob,
    reason: RunReason,
    dueMs: number,
  ): Promise<{ readonly error: Error; readonly cause: unknown } | undefined> {
    const { log, send } = this.#parts
    const dueAt = new Date(dueMs)
    const context = { job: name, dueAt, reason, signal: this.#given, log, send }
    try {
      await run(context)
      return undefined
    } catch (cause) {
      const about = { job: name, reason: reasonOf(cause) }
      return { error: failure('MR_RECURRING_FAILED', about, { cause }), cause }
    }
  }

  async #keep(job: RecurringJob, state: JobState): Promise<void> {
    const { cron, timeZone } = job
    const { version } = this.#schedule
    const { throughMs, running, requestId } = state
    const record: StateRecord = { throughMs, running, requestId, cron, timeZone, version }
    await this.#write(this.#parts.topics.jobs, `state/${job.name}`, record)
    this.#states.set(job.name, state)
  }

  async #log(
    job: RecurringJob,
    run: {
      readonly reason: RunReason
      readonly result: RunRecord['result']
      readonly dueMs: number
      readonly startedMs: number | undefined
      readonly endedMs: number | undefined
      readonly error: unknown
    },
  ): Promise<void> {
    const { startedMs, endedMs, dueMs, reason, result, error } = run
    const record: RunRecord = {
      job: job.name,
      reason,
      result,
      dueAt: new Date(dueMs).toISOString(),
      startedAt: startedMs === undefined ? null : new Date(startedMs).toISOString(),
      durationMs: startedMs === undefined || endedMs === undefined ? null : endedMs - startedMs,
      worker: this.#parts.workerName,
      error: error === undefined ? null : reasonOf(error).slice(0, 1024),
    }
    await this.#write(this.#parts.topics.log, job.name, record)
  }

  async #write(topic: Topic, key: string, record: object): Promise<void> {
    const { writer, wireName } = this.#parts
    const value = JSON.stringify(record)
    await writer.send({ topic: wireName(topic.name), partition: 0, key, value })
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
