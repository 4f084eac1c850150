import { splitMetadata } from '../../client/index.ts'
import { failure } from '../../errors/index.ts'
import { parseDuration } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Moment } from '../consumer/consumer-class.ts'
import type { ConsumerPlan } from '../consumer/plan.ts'
import type { Responses, SeekTo } from '../context/context.ts'
import type { DeliveredMessage } from '../message/message.ts'
import type { Pacing } from '../pacing/pacing.ts'
import type { Logger, SeekTarget, SourcePartition } from '../ports.ts'
import type { Send } from '../produce/sendable.ts'
import type { Topic } from '../topic/define-topic.ts'
import { AdmissionGate } from './admission.ts'
import { stuckAfterMs } from './attempts.ts'
import { Departures } from './departures.ts'
import type { OwnerEnvironment } from './environment.ts'
import { Feed } from './feed.ts'
import { HookCaller } from './hook-caller.ts'
import { JobContext, type JobOwner } from './job-context.ts'
import { JobRunner } from './job-runner.ts'
import { Lanes } from './lanes.ts'
import { PartitionState, type MarkRequest, type Position } from './partition-state.ts'
import type { Place } from './place.ts'
import { placedLogger } from './placed-logger.ts'
import type { OwnerReport, OwnerState } from './report.ts'
import { seekTarget } from './seek-target.ts'
import { Sequence } from './sequence.ts'
import { Settlement } from './settlement.ts'
import { Wakeup } from './wakeup.ts'
import type { Work } from './work.ts'

export type { OwnerReport, OwnerState } from './report.ts'

export type EndKind = 'revoked' | 'lost' | 'shutdown'

/**
 * Holds everything of one partition inside a worker, from assignment to revocation. One loop; what happens next is
 * decided at its top.
 *
 *     poll cycle:  beforePoll -> take -> afterFetch -> work: one after the other, or in lanes -> afterPoll
 *     failure:     nothing is marked, what is unfinished stays in hand until its back-off is over
 *
 * After `end` no handler is started; what a handler that was left behind still does changes nothing here.
 */
export class PartitionOwner implements JobOwner {
  readonly plan: ConsumerPlan
  readonly topic: Topic
  readonly source: SourcePartition
  readonly place: Place
  readonly state: Record<string, unknown> = {}
  readonly #env: OwnerEnvironment
  readonly #send: Send
  readonly #hooks: HookCaller
  readonly #feed: Feed
  readonly #partition: PartitionState
  readonly #departures: Departures
  readonly #runner: JobRunner
  readonly #work: Work
  readonly #wakeup: Wakeup
  #log: Logger | undefined
  #pacing: Pacing | undefined
  #seekTo: SeekTarget | undefined
  #isBegun = false
  #isEnding = false
  #isGone = false
  #loop: Promise<void> = Promise.resolve()
  #ended: Promise<void> | undefined
  #lastPollAtMs: number
  #committed: Position | undefined
  #committedAtMs: number

  constructor(plan: ConsumerPlan, topic: Topic, source: SourcePartition, env: OwnerEnvironment) {
    this.plan = plan
    this.topic = topic
    this.source = source
    this.#env = env
    this.#send = plan.sendVia?.(env.send) ?? env.send
    const state = new PartitionState(plan, topic, source, env.clock, () => env.onMarked(this))
    this.#partition = state
    this.place = state.place
    const hasLanes = plan.lanes.size > 1
    this.#wakeup = new Wakeup({ keepsWakes: hasLanes })
    const departures = new Departures(state, env)
    this.#departures = departures
    const settlement = new Settlement(state, departures, env, (error) =>
      env.onCritical(this, error),
    )
    const handler = plan.makeHandler()
    this.#hooks = new HookCaller(handler, state.place, () => this.#hookMoment())
    const { enter, breathe } = env
    const host = {
      isStopped: () => this.#isStopped(),
      isEnding: () => this.#isEnding,
      isSeeking: () => this.#seekTo !== undefined,
      sleep: (untilMs: number, other?: (signal: AbortSignal) => Promise<unknown>) =>
        this.#sleep(untilMs, other),
      forgetWakes: () => this.#wakeup.forget(),
      wake: () => this.#wakeup.wake(),
      ...(enter === undefined ? {} : { enter: (call: () => unknown) => enter(this, call) }),
    }
    // The job's messages, not the context's: an inbox takes out those that it knows.
    const call = plan.wrap(({ context, messages }) =>
      handler.consume(this.#moment(context as JobContext, messages as readonly DeliveredMessage[])),
    )
    const runner = new JobRunner({ state, departures, settlement, env, owner: this, call, host })
    this.#runner = runner
    const gate = this.#makeGate(settlement)
    const parts = { state, departures, gate, runner, host, breathe }
    this.#work = hasLanes ? new Lanes(parts) : new Sequence(parts)
    state.work = this.#work
    this.#feed = new Feed({ state, work: this.#work, hooks: this.#hooks, host })
    const now = env.clock.now()
    this.#lastPollAtMs = now
    this.#committed = source.committed ?? undefined
    this.#committedAtMs = now
  }

  #makeGate(settlement: Settlement): AdmissionGate | undefined {
    const { group, consumer, topic, partition } = this.place
    const { state, log } = this
    const pacing = this.plan.makePacing?.({ group, consumer, topic, partition, state, log })
    if (pacing === undefined) return undefined
    if (pacing.finished !== undefined)
      this.#partition.onFinished = (message) => pacing.finished?.(message)
    this.#pacing = pacing
    return new AdmissionGate(this.#partition, pacing, this.#departures, (message, error) =>
      settlement.refused(message, error),
    )
  }

  // --- what the worker and the tests see

  get status(): OwnerState {
    if (this.#isGone) return { kind: 'gone' }
    if (this.#isEnding) return { kind: 'draining' }
    if (this.#runner.running.size > 0) return { kind: 'running' }
    const hold = this.#partition.holds.current()
    if (hold !== undefined) return hold
    if (!this.#isBegun) return { kind: 'assigned' }
    if (!this.#wakeup.isWaiting) return { kind: 'running' }
    const { isResting, dueMs } = this.#work
    return isResting ? { kind: 'paused', reason: 'backoff', untilMs: dueMs } : { kind: 'waiting' }
  }

  report(): OwnerReport {
    const now = this.now()
    const failing = this.#partition.attempts.oldest
    const jobs = Array.from(this.#runner.running, ({ messages, attempt, startedAt }) => ({
      offset: messages[0]?.offset ?? -1,
      messages: messages.length,
      attempt,
      startedAtMs: startedAt,
      ageMs: now - startedAt,
    }))
    return {
      state: this.status,
      lanes: this.#work.lanes,
      jobs,
      lastPollAtMs: this.#lastPollAtMs,
      failing,
      stuck: failing !== undefined && now - failing.sinceMs >= stuckAfterMs ? failing : undefined,
    }
  }

  /** Nothing runs, and nothing in hand will before somebody acts; more may lie at the broker. */
  get isDry(): boolean {
    const isIdle = this.#runner.running.size === 0
    return isIdle && (this.#work.size === 0 || this.#partition.holds.isForGood)
  }

  /** For each running handler, such as `UsersConsumer users/0:42 for 61 s`. */
  describeJobs(): string[] {
    return Array.from(this.#runner.running, ({ messages, startedAt }) => {
      const seconds = Math.round((this.now() - startedAt) / 1000)
      const at = `${this.topic.name}/${this.source.partition}:${messages[0]?.offset}`
      return `${this.plan.title} ${at} for ${seconds} s`
    })
  }

  /** What to commit when it moved, or when it stands for so long that the broker may forget it. */
  positionToCommit(recommitAfterMs = Infinity): Position | undefined {
    if (this.#isGone) return undefined
    const position = below(this.#partition.position, this.#pacing?.commitBelow?.())
    if (position === undefined) return undefined
    const isOld = this.now() - this.#committedAtMs >= recommitAfterMs
    const hasMoved =
      position.offset !== this.#committed?.offset || position.metadata !== this.#committed.metadata
    return hasMoved || isOld ? position : undefined
  }

  committed(position: Position): void {
    this.#committed = position
    this.#committedAtMs = this.now()
  }

  /** Runs the hook `assigned`, which may seek, and resolves before anything is taken; then the loop goes by itself. */
  async start(): Promise<void> {
    const { position, committed } = this.source
    const found = committed?.offset ?? null
    const known = position >= 0 ? position : found
    const metadata = this.#partition.userMetadata
    const error = await this.#hooks.call('assigned', {
      position: known,
      committed: found,
      metadata,
    })
    if (error !== undefined) this.#partition.holds.block(error, this.#partition.headOffset)
    if (this.#seekTo !== undefined) await this.#applySeek()
    this.#isBegun = true
    this.#loop = this.#run()
  }

  /** Takes no more messages, keeps the assignment; what is in hand is finished. */
  quiet(): void {
    this.#partition.holds.quiet()
    this.#wakeup.wake()
  }

  /**
   * Stops feeding, lets the running handlers finish, runs the hook. Afterwards the caller commits, then calls
   * `release`. Idempotent: the first call decides.
   * @param abortAfterMs - then the handlers' signals abort; at once for long-running ones
   * @param graceMs - after that they are left behind
   */
  end(kind: EndKind, abortAfterMs: number, graceMs: number): Promise<void> {
    this.#ended ??= this.#end(kind, abortAfterMs, graceMs)
    return this.#ended
  }

  /** The tenure is over: late results and marks count for nothing. */
  release(): void {
    if (!this.#isGone) this.#pacing?.close?.()
    this.#isGone = true
    this.#partition.isOver = true
    this.#runner.stop()
  }

  async #end(kind: EndKind, abortAfterMs: number, graceMs: number): Promise<void> {
    this.#isEnding = true
    this.#wakeup.wake()
    if (kind === 'lost' || (kind === 'revoked' && this.plan.isLongRunning)) this.#runner.abortAll()
    if (!(await this.#loopEndsWithin(abortAfterMs))) {
      this.#runner.abortAll()
      if (!(await this.#loopEndsWithin(graceMs))) {
        this.#partition.isOver = true
        this.#runner.tellStuck()
      }
    }
    const isStop = kind === 'shutdown'
    await this.#hooks.call(isStop ? 'shutdown' : 'revoked')
    if (isStop) await this.#hooks.call('beforeStop')
  }

  #loopEndsWithin(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.#env.clock.after(ms, () => resolve(false))
      void this.#loop.finally(() => {
        timer.cancel()
        resolve(true)
      })
    })
  }

  // --- what handlers ask for (JobOwner)

  get consumer(): string {
    return this.plan.name
  }

  get group(): string {
    return this.plan.group
  }

  get log(): Logger {
    this.#log ??= placedLogger(this.#env.log, this.place)
    return this.#log
  }

  get isEnding(): boolean {
    return this.#isEnding
  }

  get isOwned(): boolean {
    return this.#partition.isOwned
  }

  get lag(): number {
    return this.#partition.lag
  }

  get timeLagMs(): number {
    return this.#partition.timeLagMs
  }

  get send(): Send {
    return this.#send
  }

  now(): number {
    return this.#env.clock.now()
  }

  async respondWith(data: unknown, send: Send): Promise<Responses> {
    const { responder, name, title } = this.plan
    if (responder === undefined) throw failure('MR_RESPONDER_MISSING', { consumer: name })
    return responder.call(data as never, { send, consumer: title })
  }

  mark(offset: number, request: MarkRequest): boolean {
    return this.#partition.mark(offset, request)
  }

  async commit(): Promise<boolean> {
    return this.isOwned && (await this.#env.commit(this))
  }

  seek(to: SeekTo): void {
    this.#seekTo = seekTarget(to, this.now())
    events.partitionSeek.publish({ ...this.place, to: String(to) })
    this.#wakeup.wake()
  }

  pause(duration: number | string | undefined): void {
    this.#partition.holds.pause(
      'user',
      duration === undefined ? undefined : parseDuration(duration),
    )
    this.#wakeup.wake()
  }

  /** Ends a pause, a back-off or a block; a blocked message is tried again. */
  resume(): void {
    this.#partition.holds.resume()
    this.#work.resume()
    this.#wakeup.wake()
  }

  async deadLetter(message: DeliveredMessage, reason: string): Promise<void> {
    if (message.isDone) return
    const { offset } = message
    const at = { topic: this.topic.name, partition: this.source.partition, offset }
    if (this.plan.deadLetter === undefined)
      throw failure('MR_APP_DEAD_LETTER_UNDECLARED', { ...at, consumer: this.plan.name })
    const error = failure('MR_APP_DEAD_LETTER_ASKED', { ...at, reason })
    const attempts = this.#partition.attempts.failedAt(offset) + 1
    const kind = 'dead-letter'
    await this.#departures.send({ kind, message, error, reason: 'handler', attempts })
  }

  // --- the loop

  async #run(): Promise<void> {
    while (!this.#isEnding) {
      this.#lastPollAtMs = this.now()
      this.#wakeup.forget()
      try {
        if (this.#seekTo !== undefined) await this.#applySeek()
        else if (this.#partition.holds.current() !== undefined) await this.#waitWhileHeld()
        else await this.#cycle()
      } catch (error) {
        // Only faults of the source come here: handlers and hooks are caught where they are called.
        this.#partition.holds.block(error, this.#partition.headOffset)
      }
    }
    await this.#work.settled()
  }

  async #cycle(): Promise<void> {
    let messages = this.#work.size
    if (events.pollBefore.isHeard) events.pollBefore.publish(this.place)
    if (this.#hooks.has('beforePoll')) await this.#hooks.call('beforePoll')
    try {
      if (this.#work.wants > 0 && !this.#isStopped()) messages = await this.#feed.fill()
      await this.#work.run()
    } finally {
      if (this.#hooks.has('afterPoll')) await this.#hooks.call('afterPoll')
      if (events.pollAfter.isHeard) events.pollAfter.publish({ ...this.place, messages })
    }
  }

  /** Handing over stops here: end, hold, or a seek that drops what is in hand. */
  #isStopped(): boolean {
    return (
      this.#isEnding || this.#seekTo !== undefined || this.#partition.holds.current() !== undefined
    )
  }

  async #waitWhileHeld(): Promise<void> {
    const hold = this.#partition.holds.current()
    if (hold === undefined) return
    await this.#feed.waitUntil(hold.kind === 'blocked' ? Infinity : hold.untilMs)
  }

  async #sleep(untilMs: number, other?: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    const { attempts } = this.#partition
    if (attempts.isEmpty) return this.#wakeup.wait(this.#env.clock, untilMs, other)
    await this.#wakeup.wait(this.#env.clock, Math.min(untilMs, attempts.nextStuckAtMs), other)
    for (const stuck of attempts.newlyStuck(this.now())) {
      const { offset, sinceMs, attempts: count } = stuck
      const forMs = this.now() - sinceMs
      events.partitionStuck.publish({ ...this.place, offset, attempts: count, forMs })
    }
  }

  async #applySeek(): Promise<void> {
    // What runs does so with messages that are about to be forgotten.
    await this.#work.settled()
    const to = this.#seekTo as SeekTarget
    this.#seekTo = undefined
    try {
      await this.source.seek(to)
    } catch (error) {
      // The position is as before, so what is in hand stays right.
      events.error.publish({ type: 'seek', error })
      return
    }
    this.#departures.clear()
    this.#partition.startOver()
  }

  #hookMoment(): { readonly context: JobContext; readonly moment: Moment } {
    const context = new JobContext(this, [], 1, this.now(), this.now())
    return { context, moment: this.#moment(context) }
  }

  #moment(context: JobContext, messages = context.messages): Moment {
    const { mode } = this.plan
    const { partition } = this.source
    return { context, topic: this.topic, partition, mode, messages }
  }
}

/**
 * A position that does not pass what the pacing holds back. What is finished above it is not told then: some of it is
 * finished here alone, with its record elsewhere not acknowledged yet, and a restart must not pass over that.
 */
function below(position: Position | undefined, limit: number | undefined): Position | undefined {
  if (position === undefined || limit === undefined) return position
  const { user } = splitMetadata(position.metadata, position.offset)
  return { offset: Math.min(position.offset, limit), metadata: user }
}
