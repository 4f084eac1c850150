import { events } from '../../telemetry/index.ts'
import type { ConsumerPlan } from '../consumer/plan.ts'
import { MessageBatch, type DeliveredMessage } from '../message/message.ts'
import type { SourceMessage, SourcePartition } from '../ports.ts'
import type { HookCaller } from './hook-caller.ts'
import type { PartitionState } from './partition-state.ts'
import type { Work } from './work.ts'

export interface FeedHost {
  isStopped(): boolean
  isEnding(): boolean
  sleep(untilMs: number, other?: (signal: AbortSignal) => Promise<unknown>): Promise<void>
}

/** Brings messages from the source into the hand, waits for them, and tells hooks what happens meanwhile. */
export class Feed {
  readonly #plan: ConsumerPlan
  readonly #source: SourcePartition
  readonly #state: PartitionState
  readonly #work: Work
  readonly #hooks: HookCaller
  readonly #host: FeedHost
  #isEndTold = true
  #isIdleTold = false
  #lastMessageAtMs: number
  #tickAtMs: number

  constructor(parts: {
    readonly state: PartitionState
    readonly work: Work
    readonly hooks: HookCaller
    readonly host: FeedHost
  }) {
    this.#state = parts.state
    this.#plan = parts.state.plan
    this.#source = parts.state.source
    this.#work = parts.work
    this.#hooks = parts.hooks
    this.#host = parts.host
    this.#lastMessageAtMs = this.#state.now()
    this.#tickAtMs = this.#lastMessageAtMs + this.#plan.tickIntervalMs
  }

  /** How many messages came. None: something else has to be looked at. */
  async fill(): Promise<number> {
    const work = this.#work
    const cycleEndMs = this.#state.now() + this.#plan.maxWaitMs
    let taken = this.#source.take(work.wants)
    if (taken.length === 0 && work.size === 0) await this.#tellEnd()
    while (taken.length === 0) {
      // With lanes there may be something to do besides waiting for messages, also since the last look.
      if (work.canStart) return 0
      await this.#waitForMessages(cycleEndMs)
      if (this.#host.isStopped()) return 0
      if (work.wants > 0) taken = this.#source.take(work.wants)
      if (taken.length > 0) break
      await this.#turn()
      if (work.size === 0 || work.wants === 0) return 0
      if (this.#host.isStopped() || this.#state.now() >= cycleEndMs) return 0
    }
    const { receive, mode } = this.#plan
    const isTold = receive !== undefined || this.#hooks.has('afterFetch')
    const received: DeliveredMessage[] | undefined = isTold ? [] : undefined
    let count = this.#receive(taken, received)
    if (mode === 'batch') count += await this.#fillBatch(received)
    this.#isEndTold = false
    this.#isIdleTold = false
    this.#lastMessageAtMs = this.#state.now()
    if (received === undefined || received.length === 0) return count
    if (receive !== undefined) await receive(received)
    await this.#hooks.call('afterFetch', new MessageBatch(received))
    return count
  }

  /** Waits, while the partition is held; ticks go on. */
  async waitUntil(untilMs: number): Promise<void> {
    const mayTick = this.#mayTick
    await this.#host.sleep(mayTick ? Math.min(untilMs, this.#tickAtMs) : untilMs)
    await this.#tickIfDue()
  }

  #receive(taken: readonly SourceMessage[], received: DeliveredMessage[] | undefined): number {
    for (const one of taken) {
      const message = this.#state.receive(one)
      if (message !== undefined) received?.push(message)
    }
    return taken.length
  }

  /** A short batch waits for more, but not at the end of the partition, where more may never come. */
  async #fillBatch(received: DeliveredMessage[] | undefined): Promise<number> {
    const { maxWaitMs, fillsBySize } = this.#plan
    const untilMs = this.#state.now() + maxWaitMs
    let count = 0
    while (this.#work.lacks > 0 && !this.#host.isStopped()) {
      if (!fillsBySize && this.#isAtEnd) return count
      await this.#host.sleep(untilMs, (signal) => this.#source.available(signal))
      const more = this.#source.take(this.#work.lacks)
      if (more.length === 0 && this.#state.now() >= untilMs) return count
      if (more.length === 0) await this.#turn()
      count += this.#receive(more, received)
    }
    return count
  }

  /**
   * A partition that is being taken away says at once that it may be looked at: without a turn of the event loop its
   * revocation would never be heard of.
   */
  #turn(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }

  get #isAtEnd(): boolean {
    return this.#source.lag === 0
  }

  /** Never beside the handler, and not while a message is tried again. */
  get #mayTick(): boolean {
    return (
      this.#hooks.has('tick') &&
      this.#work.lanes.busy === 0 &&
      !this.#work.isResting &&
      !this.#state.holds.isRetrying
    )
  }

  async #waitForMessages(cycleEndMs: number): Promise<void> {
    const isWatched = events.pollBefore.isHeard || events.pollAfter.isHeard
    const hasCycles = this.#hooks.has('beforePoll') || this.#hooks.has('afterPoll') || isWatched
    let untilMs = Math.min(hasCycles ? cycleEndMs : Infinity, this.#work.dueMs)
    if (this.#mayTick) untilMs = Math.min(untilMs, this.#tickAtMs)
    const idleAtMs = this.#lastMessageAtMs + this.#plan.idleAfterMs
    const isIdleHeard = this.#hooks.has('idle') || events.partitionIdle.isHeard
    const mayIdle = !this.#isIdleTold && isIdleHeard && this.#work.size === 0
    if (mayIdle) untilMs = Math.min(untilMs, idleAtMs)

    await this.#host.sleep(untilMs, (signal) => this.#source.available(signal))
    await this.#tickIfDue()
    if (!mayIdle || this.#host.isEnding() || this.#state.now() < idleAtMs) return
    this.#isIdleTold = true
    events.partitionIdle.publish({ ...this.#state.place, idleMs: this.#plan.idleAfterMs })
    await this.#hooks.call('idle')
  }

  async #tickIfDue(): Promise<void> {
    if (this.#host.isEnding() || !this.#mayTick || this.#state.now() < this.#tickAtMs) return
    this.#tickAtMs = this.#state.now() + this.#plan.tickIntervalMs
    await this.#hooks.call('tick')
  }

  async #tellEnd(): Promise<void> {
    if (this.#isEndTold || !this.#isAtEnd) return
    this.#isEndTold = true
    events.partitionEnded.publish({ ...this.#state.place, offset: this.#source.position })
    await this.#hooks.call('ended')
  }
}
