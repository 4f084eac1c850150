import { failure } from '../../errors/index.ts'
import { parseDuration } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { Moment } from '../consumer/consumer-class.ts'
import type { HookName } from '../consumer/hooks.ts'
import type { ConsumerPlan, Handler } from '../consumer/plan.ts'
import type { Responses, SeekTo } from '../context/context.ts'
import { MessageBatch, type DeliveredMessage } from '../message/message.ts'
import type { Call } from '../middleware/middleware.ts'
import { outcomeOf } from '../outcome.ts'
import type { Logger, SeekTarget, SourcePartition } from '../ports.ts'
import type { Send } from '../produce/sendable.ts'
import type { Topic } from '../topic/define-topic.ts'
import { AdmissionGate } from './admission.ts'
import { reasonOf } from './describe.ts'
import type { OwnerEnvironment } from './environment.ts'
import { JobContext, type JobOwner } from './job-context.ts'
import { JobWatch } from './job-watch.ts'
import { Departures } from './departures.ts'
import { placedLogger } from './placed-logger.ts'
import { PartitionState, type Hold, type Place } from './partition-state.ts'
import { seekTarget } from './seek-target.ts'
import { Settlement, type JobResult } from './settlement.ts'
import { Wakeup } from './wakeup.ts'

export type OwnerState =
  | { readonly kind: 'assigned' | 'waiting' | 'running' | 'draining' | 'gone' }
  | Hold

export type EndKind = 'revoked' | 'lost' | 'shutdown'

/**
 * Holds everything of one partition inside a worker, from assignment to revocation. One loop; what happens next is
 * decided at its top.
 *
 *     poll cycle:  beforePoll -> take -> afterFetch -> handler, message by message or batch -> afterPoll
 *     failure:     nothing is marked, what is unfinished stays in hand, the loop waits for the back-off
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
  readonly #handler: Handler
  readonly #call: Call
  readonly #partition: PartitionState
  readonly #departures: Departures
  readonly #gate: AdmissionGate | undefined
  readonly #settlement: Settlement
  readonly #wakeup = new Wakeup()
  readonly #watch: JobWatch
  #log: Logger | undefined
  #job: JobContext | undefined
  #seekTo: SeekTarget | undefined
  #isBegun = false
  #isEnding = false
  #isGone = false
  #loop: Promise<void> = Promise.resolve()
  #ended: Promise<void> | undefined
  #isEndTold = true
  #isIdleTold = false
  #lastMessageAtMs: number
  #tickAtMs: number
  #committed: number | undefined
  #committedAtMs: number

  constructor(plan: ConsumerPlan, topic: Topic, source: SourcePartition, env: OwnerEnvironment) {
    this.plan = plan
    this.topic = topic
    this.source = source
    this.#env = env
    this.#partition = new PartitionState(plan, topic, source, env.clock, () => env.onMarked(this))
    this.place = this.#partition.place
    this.#departures = new Departures(this.#partition, env)
    this.#settlement = new Settlement(this.#partition, this.#departures, env, (error) =>
      env.onCritical(this, error),
    )
    this.#handler = plan.makeHandler()
    this.#gate = this.#makeGate()
    // The job's messages, not the context's: an inbox takes out those that it knows.
    this.#call = plan.wrap(({ context, messages }) =>
      this.#handler.consume(
        this.#moment(context as JobContext, messages as readonly DeliveredMessage[]),
      ),
    )
    this.#watch = new JobWatch(env.clock, plan, {
      onTimeout: () => this.#job?.abort('timeout'),
      onSlow: (durationMs) => this.#publishSlow(durationMs),
    })
    const now = env.clock.now()
    this.#lastMessageAtMs = now
    this.#tickAtMs = now + plan.tickIntervalMs
    this.#committed = source.committed?.offset
    this.#committedAtMs = now
  }

  #makeGate(): AdmissionGate | undefined {
    const { group, consumer, topic, partition } = this.place
    const { state, log } = this
    const pacing = this.plan.makePacing?.({ group, consumer, topic, partition, state, log })
    if (pacing === undefined) return undefined
    if (pacing.finished !== undefined)
      this.#partition.onFinished = (message) => pacing.finished?.(message)
    return new AdmissionGate(this.#partition, pacing, this.#departures, (message, error) =>
      this.#settlement.refused(message, error),
    )
  }

  // --- what the worker and the tests see

  get status(): OwnerState {
    if (this.#isGone) return { kind: 'gone' }
    if (this.#isEnding) return { kind: 'draining' }
    if (this.#job !== undefined) return { kind: 'running' }
    const hold = this.#partition.hold()
    if (hold !== undefined) return hold
    if (!this.#isBegun) return { kind: 'assigned' }
    return { kind: this.#wakeup.isWaiting ? 'waiting' : 'running' }
  }

  /** Nothing in hand and nothing running; more may lie at the broker. */
  get isDry(): boolean {
    return this.#job === undefined && this.#partition.hand.length === 0
  }

  /** `UsersConsumer users/0:42 for 61 s`, while a handler runs. */
  describeJob(): string | undefined {
    const job = this.#job
    if (job === undefined) return undefined
    const seconds = Math.round((this.now() - job.startedAt) / 1000)
    const at = `${this.topic.name}/${this.source.partition}:${job.messages[0]?.offset}`
    return `${this.plan.title} ${at} for ${seconds} s`
  }

  /** The offset to commit when it moved, or when it stands for so long that the broker may forget it. */
  positionToCommit(recommitAfterMs = Infinity): { offset: number } | undefined {
    if (this.#isGone) return undefined
    const offset = this.#partition.position
    if (offset === undefined) return undefined
    const isOld = this.now() - this.#committedAtMs >= recommitAfterMs
    return offset !== this.#committed || isOld ? { offset } : undefined
  }

  committed(offset: number): void {
    this.#committed = offset
    this.#committedAtMs = this.now()
  }

  /** Runs the hook `assigned`, which may seek, and resolves before anything is taken; then the loop goes by itself. */
  async start(): Promise<void> {
    const { position, committed } = this.source
    const found = committed?.offset ?? null
    const known = position >= 0 ? position : found
    const metadata = committed?.metadata ?? ''
    const error = await this.#hook('assigned', { position: known, committed: found, metadata })
    if (error !== undefined) this.#partition.block(error, this.#partition.headOffset)
    if (this.#seekTo !== undefined) await this.#applySeek()
    this.#isBegun = true
    this.#loop = this.#run()
  }

  /** Takes no more messages, keeps the assignment; what is in hand is finished. */
  quiet(): void {
    this.#partition.quiet()
    this.#wakeup.wake()
  }

  /**
   * Stops feeding, lets the running handler finish, runs the hook. Afterwards the caller commits, then calls
   * `release`. Idempotent: the first call decides.
   * @param abortAfterMs - then the handler's signal aborts
   * @param graceMs - after that it is left behind
   */
  end(kind: EndKind, abortAfterMs: number, graceMs: number): Promise<void> {
    this.#ended ??= this.#end(kind, abortAfterMs, graceMs)
    return this.#ended
  }

  /** The tenure is over: late results and marks count for nothing. */
  release(): void {
    this.#isGone = true
    this.#partition.isOver = true
    this.#watch.stop()
  }

  async #end(kind: EndKind, abortAfterMs: number, graceMs: number): Promise<void> {
    this.#isEnding = true
    this.#wakeup.wake()
    if (kind === 'lost') this.#job?.abort('stop')
    if (!(await this.#loopEndsWithin(abortAfterMs))) {
      this.#job?.abort('stop')
      if (!(await this.#loopEndsWithin(graceMs))) this.#leaveBehind()
    }
    const isStop = kind === 'shutdown'
    await this.#hook(isStop ? 'shutdown' : 'revoked')
    if (isStop) await this.#hook('beforeStop')
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

  #leaveBehind(): void {
    this.#partition.isOver = true
    const job = this.#job
    if (job === undefined || !events.jobStuck.isHeard) return
    events.jobStuck.publish({ ...this.#facts(job), durationMs: this.now() - job.startedAt })
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

  get send(): Send {
    return this.#env.send
  }

  now(): number {
    return this.#env.clock.now()
  }

  async respondWith(data: unknown, send: Send): Promise<Responses> {
    const { responder, name, title } = this.plan
    if (responder === undefined) throw failure('MR_RESPONDER_MISSING', { consumer: name })
    return responder.call(data as never, { send, consumer: title })
  }

  mark(offset: number, options: { readonly rewind: boolean }): boolean {
    return this.#partition.mark(offset, options)
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
    this.#partition.pause('user', duration === undefined ? undefined : parseDuration(duration))
    this.#wakeup.wake()
  }

  /** Ends a pause, a back-off or a block; a blocked message is tried again. */
  resume(): void {
    this.#partition.resume()
    this.#wakeup.wake()
  }

  async deadLetter(offset: number, reason: string): Promise<void> {
    const message = this.#partition.hand.find((own) => own.offset === offset)
    if (message === undefined) return
    const at = { topic: this.topic.name, partition: this.source.partition, offset }
    if (this.plan.deadLetter === undefined)
      throw failure('MR_APP_DEAD_LETTER_UNDECLARED', { ...at, consumer: this.plan.name })
    const error = failure('MR_APP_DEAD_LETTER_ASKED', { ...at, reason })
    const attempts = this.#partition.attempts.failedAt(offset) + 1
    const reasonKind = { kind: 'dead-letter', reason: 'handler' } as const
    await this.#departures.send({ ...reasonKind, message, error, attempts })
  }

  // --- the loop

  async #run(): Promise<void> {
    while (!this.#isEnding) {
      try {
        if (this.#seekTo !== undefined) await this.#applySeek()
        else if (this.#partition.hold() !== undefined) await this.#waitWhileHeld()
        else await this.#cycle()
      } catch (error) {
        // Only faults of the source come here: handlers and hooks are caught where they are called.
        this.#partition.block(error, this.#partition.headOffset)
      }
    }
  }

  async #cycle(): Promise<void> {
    const partition = this.#partition
    let messages = partition.hand.length
    if (events.pollBefore.isHeard) events.pollBefore.publish(this.place)
    if (this.#handler.has('beforePoll')) await this.#hook('beforePoll')
    try {
      if (partition.hand.length === 0 && !this.#isStopped()) messages = await this.#fill()
      while (partition.hand.length > 0 && !this.#isStopped()) await this.#work()
    } finally {
      if (this.#handler.has('afterPoll')) await this.#hook('afterPoll')
      if (events.pollAfter.isHeard) events.pollAfter.publish({ ...this.place, messages })
    }
  }

  /** Handing over stops here: end, hold, or a seek that drops what is in hand. */
  #isStopped(): boolean {
    return this.#isEnding || this.#seekTo !== undefined || this.#partition.hold() !== undefined
  }

  async #waitWhileHeld(): Promise<void> {
    const hold = this.#partition.hold()
    if (hold === undefined) return
    let untilMs = hold.kind === 'blocked' ? Infinity : hold.untilMs
    const mayTick = this.#handler.has('tick') && !this.#partition.isRetrying
    if (mayTick) untilMs = Math.min(untilMs, this.#tickAtMs)
    await this.#sleep(untilMs)
    if (mayTick) await this.#tickIfDue()
  }

  /** How many messages came into the hand. */
  async #fill(): Promise<number> {
    const { maxMessages, mode } = this.plan
    const partition = this.#partition
    let taken = this.source.take(maxMessages)
    if (taken.length === 0) {
      await this.#tellEnd()
      await this.#waitForMessages()
      if (this.#isStopped()) return 0
      taken = this.source.take(maxMessages)
      if (taken.length === 0) {
        // A partition that is being taken away says at once that it may be looked at: without a turn of the loop
        // its revocation would never be heard of.
        await new Promise((resolve) => setImmediate(resolve))
        return 0
      }
    }
    for (const message of taken) partition.receive(message)
    if (mode === 'batch') await this.#fillBatch()
    this.#isEndTold = false
    this.#isIdleTold = false
    this.#lastMessageAtMs = this.now()
    if (this.plan.receive !== undefined) await this.plan.receive(partition.hand.slice())
    if (this.#handler.has('afterFetch'))
      await this.#hook('afterFetch', new MessageBatch(partition.hand.slice()))
    return partition.hand.length
  }

  /** A short batch waits for more, but not at the end of the partition, where more may never come. */
  async #fillBatch(): Promise<void> {
    const { maxMessages, maxWaitMs, fillsBySize } = this.plan
    const { hand } = this.#partition
    const untilMs = this.now() + maxWaitMs
    while (hand.length < maxMessages && !this.#isStopped()) {
      if (!fillsBySize && this.#isAtEnd) return
      await this.#sleep(untilMs, (signal) => this.source.available(signal))
      const more = this.source.take(maxMessages - hand.length)
      if (more.length === 0 && this.now() >= untilMs) return
      for (const message of more) this.#partition.receive(message)
    }
  }

  get #isAtEnd(): boolean {
    return this.source.lag === 0
  }

  async #waitForMessages(): Promise<void> {
    const handler = this.#handler
    const isWatched = events.pollBefore.isHeard || events.pollAfter.isHeard
    const hasCycles = handler.has('beforePoll') || handler.has('afterPoll') || isWatched
    let untilMs = hasCycles ? this.now() + this.plan.maxWaitMs : Infinity
    if (handler.has('tick')) untilMs = Math.min(untilMs, this.#tickAtMs)
    const idleAtMs = this.#lastMessageAtMs + this.plan.idleAfterMs
    const mayIdle = !this.#isIdleTold && (handler.has('idle') || events.partitionIdle.isHeard)
    if (mayIdle) untilMs = Math.min(untilMs, idleAtMs)

    await this.#sleep(untilMs, (signal) => this.source.available(signal))
    await this.#tickIfDue()
    if (!mayIdle || this.#isEnding || this.now() < idleAtMs) return
    this.#isIdleTold = true
    events.partitionIdle.publish({ ...this.place, idleMs: this.plan.idleAfterMs })
    await this.#hook('idle')
  }

  #sleep(untilMs: number, other?: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    return this.#wakeup.wait(this.#env.clock, untilMs, other)
  }

  async #tickIfDue(): Promise<void> {
    if (this.#isEnding || !this.#handler.has('tick') || this.now() < this.#tickAtMs) return
    this.#tickAtMs = this.now() + this.plan.tickIntervalMs
    await this.#hook('tick')
  }

  async #tellEnd(): Promise<void> {
    if (this.#isEndTold || !this.#isAtEnd) return
    this.#isEndTold = true
    events.partitionEnded.publish({ ...this.place, offset: this.source.position })
    await this.#hook('ended')
  }

  /** One step with the hand: dead letters that wait come first, since they hold their message's place. */
  async #work(): Promise<void> {
    const partition = this.#partition
    if (!this.#departures.isEmpty) {
      await this.#departures.sendAll()
      return
    }
    const breath = this.#env.breathe?.()
    if (breath !== undefined) await breath
    const head = partition.hand[0] as DeliveredMessage
    if (partition.split !== undefined && head.offset > partition.split.through)
      partition.split = undefined
    const isSingle = this.plan.mode === 'each' || partition.split !== undefined
    const next = isSingle ? [head] : partition.hand.slice()
    const admitted = this.#gate === undefined ? next : this.#gate.admit(next)
    if (admitted.length > 0) await this.#runJob(admitted)
  }

  async #runJob(messages: readonly DeliveredMessage[]): Promise<void> {
    const { slots } = this.#env
    if (!slots.tryTake() && !(await this.#waitForSlot())) return
    const partition = this.#partition
    const attempt = partition.attempts.failedAt((messages[0] as DeliveredMessage).offset) + 1
    const job = new JobContext(this, messages, attempt, partition.handSinceMs, this.now())
    this.#job = job
    this.#watch.begin(job.startedAt)
    if (events.jobStarted.isHeard) events.jobStarted.publish(this.#facts(job))
    if (attempt > 1 && events.consumerRetrying.isHeard)
      events.consumerRetrying.publish(this.#facts(job))

    let result: JobResult
    try {
      let returned = this.topic.decodesAhead ? this.#prepareAndCall(job) : this.#enter(job)
      if (isThenable(returned)) returned = await returned
      const sends = job.pendingSends
      if (sends !== undefined) await sends
      result = { kind: 'returned', outcome: outcomeOf(returned) }
    } catch (error) {
      result = { kind: 'thrown', error }
    }
    slots.release()
    this.#job = undefined
    this.#watch.end()

    // A handler that threw because its signal aborted has not failed: its message comes again elsewhere.
    const isInterrupted = result.kind === 'thrown' && job.abortedBy === 'stop'
    const isDropped = isInterrupted || !partition.isOwned
    if (events.jobFinished.isHeard) this.#publishFinished(job, result, isDropped)
    if (isDropped) return
    if (this.#seekTo !== undefined && result.kind === 'returned') return
    this.#settlement.settle(job, result)
    if (!this.#departures.isEmpty && !this.#isEnding) await this.#departures.sendAll()
  }

  /** True with a slot in hand. */
  async #waitForSlot(): Promise<boolean> {
    const { slots } = this.#env
    const aborter = new AbortController()
    const taking = slots.take(aborter.signal)
    await this.#sleep(Infinity, () => taking)
    aborter.abort()
    // A slot that was handed out in the turn of the wake is ours all the same.
    const isTaken = await taking
    if (isTaken && this.#isStopped()) {
      slots.release()
      return false
    }
    return isTaken
  }

  async #prepareAndCall(job: JobContext): Promise<unknown> {
    for (const message of job.messages) await message.prepare()
    return this.#enter(job)
  }

  #enter(job: JobContext): unknown {
    const call = (): unknown =>
      this.#call({
        context: job,
        topic: this.topic.name,
        partition: this.source.partition,
        messages: job.messages,
      })
    return this.#env.enter === undefined ? call() : this.#env.enter(this, call)
  }

  async #applySeek(): Promise<void> {
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

  /** The error of a hook that threw, already reported. */
  async #hook(name: HookName, argument?: unknown): Promise<unknown> {
    if (!this.#handler.has(name)) return undefined
    const context = new JobContext(this, [], 1, this.now(), this.now())
    try {
      await this.#handler.hook(name, this.#moment(context), argument)
      await context.pendingSends
      return undefined
    } catch (cause) {
      const { consumer, topic, partition } = this.place
      const at = { hook: name, consumer, topic, partition, reason: reasonOf(cause) }
      const error = failure('MR_APP_HOOK_FAILED', at, { cause })
      events.error.publish({ type: `hook.${name}`, error })
      return error
    }
  }

  #moment(context: JobContext, messages = context.messages): Moment {
    const { mode } = this.plan
    const { partition } = this.source
    return { context, topic: this.topic, partition, mode, messages }
  }

  #publishFinished(job: JobContext, result: JobResult, isDropped: boolean): void {
    const hasFailed =
      result.kind === 'thrown' ||
      job.abortedBy === 'timeout' ||
      (result.outcome !== undefined && result.outcome.kind !== 'skip')
    const now = this.now()
    events.jobFinished.publish({
      ...this.#facts(job),
      result: isDropped ? 'dropped' : hasFailed ? 'failed' : 'done',
      durationMs: now - job.startedAt,
      timeLagMs: now - (job.messages[0]?.timestamp ?? now),
      lag: this.lag,
    })
  }

  #publishSlow(durationMs: number): void {
    if (this.#job !== undefined) events.jobSlow.publish({ ...this.#facts(this.#job), durationMs })
  }

  #facts(job: JobContext): Place & { offset: number; messages: number; attempt: number } {
    const offset = job.messages[0]?.offset ?? this.source.position
    return { ...this.place, offset, messages: job.messages.length, attempt: job.attempt }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}
