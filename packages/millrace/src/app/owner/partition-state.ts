import { events } from '../../telemetry/index.ts'
import type { ConsumerPlan } from '../consumer/plan.ts'
import { DeliveredMessage } from '../message/message.ts'
import { automaticOffsets, manualOffsets, type OffsetPolicy } from '../offsets/policy.ts'
import type { WaitReason } from '../pacing/pacing.ts'
import type { Clock, SourceMessage, SourcePartition } from '../ports.ts'
import type { Topic } from '../topic/define-topic.ts'
import { Tracker } from '../tracker/tracker.ts'
import { Attempts } from './attempts.ts'

/** Whose partition it is, in every event. */
export interface Place {
  readonly group: string
  readonly groupId: string
  readonly consumer: string
  readonly topic: string
  readonly partition: number
}

export type PauseReason = 'user' | 'storm' | 'critical'

export type Hold =
  | { readonly kind: 'blocked'; readonly code: string; readonly error: unknown }
  | {
      readonly kind: 'paused'
      readonly reason: PauseReason | WaitReason | 'quiet' | 'backoff'
      readonly untilMs: number
    }

/**
 * Where one partition stands: what is in hand, what is finished, what holds it. Decides nothing and waits for
 * nothing.
 *
 * A message leaves the hand only when it is finished: handled, skipped, or acknowledged as a dead letter.
 */
export class PartitionState {
  readonly plan: ConsumerPlan
  readonly topic: Topic
  readonly source: SourcePartition
  readonly place: Place
  readonly attempts = new Attempts()
  readonly tracker: Tracker
  readonly #offsets: OffsetPolicy
  readonly #clock: Clock
  readonly #onMarked: () => void
  /** Taken and not finished, in order. */
  hand: DeliveredMessage[] = []
  handSinceMs = 0
  /** A failed batch that named no message runs again one by one up to here; final: each has one attempt left. */
  split: { readonly through: number; readonly isFinal: boolean } | undefined
  /** Nothing counts any more: the tenure is over, or a handler was left behind. */
  isOver = false
  /** For a pacing that wants to know. */
  onFinished: ((message: DeliveredMessage) => void) | undefined
  #retryAtMs = 0
  #heldBack: { readonly reason: WaitReason; readonly untilMs: number } | undefined
  #isQuiet = false
  #pause:
    | { readonly reason: PauseReason; readonly untilMs: number; readonly sinceMs: number }
    | undefined
  #blocked: { readonly code: string; readonly error: unknown } | undefined

  constructor(
    plan: ConsumerPlan,
    topic: Topic,
    source: SourcePartition,
    clock: Clock,
    onMarked: () => void,
  ) {
    this.plan = plan
    this.topic = topic
    this.source = source
    this.#clock = clock
    this.#onMarked = onMarked
    this.place = {
      group: plan.group,
      groupId: plan.groupId,
      consumer: plan.title,
      topic: topic.name,
      partition: source.partition,
    }
    this.tracker = new Tracker(source.position)
    this.#offsets =
      plan.offsets === 'manual'
        ? manualOffsets(this.tracker, source.committed?.offset)
        : automaticOffsets(this.tracker, () => source.position)
  }

  now(): number {
    return this.#clock.now()
  }

  // --- messages

  receive(message: SourceMessage): void {
    if (this.hand.length === 0) this.handSinceMs = this.now()
    this.tracker.start(message.offset)
    this.hand.push(new DeliveredMessage(message, this.topic))
  }

  /** The handler is done with it. */
  finish(message: DeliveredMessage): void {
    if (this.#offsets.finished(message.offset)) this.#marked(message.offset)
    this.#leaveHand(message)
  }

  /** Done without the handler. */
  settle(message: DeliveredMessage): void {
    if (this.#offsets.settled(message.offset)) this.#marked(message.offset)
    this.#leaveHand(message)
  }

  skip(message: DeliveredMessage, reason: string): void {
    events.consumerSkipped.publish({ ...this.place, offset: message.offset, reason })
    this.settle(message)
  }

  /** Finished without the handler, as the pacing says. */
  pass(message: DeliveredMessage, reason: 'filtered' | 'expired', detail?: string): void {
    const { offset } = message
    if (reason === 'expired') events.consumerSkipped.publish({ ...this.place, offset, reason })
    else events.consumerFiltered.publish({ ...this.place, offset, by: detail ?? 'filter' })
    this.settle(message)
  }

  /** The user's mark. False when the partition is lost. */
  mark(offset: number, options: { readonly rewind: boolean }): boolean {
    if (!this.isOwned) return false
    if (this.#offsets.mark(offset, options)) this.#marked(offset)
    return true
  }

  /** Undefined while there is nothing to commit. */
  get position(): number | undefined {
    const position = this.#offsets.position()
    // The source does not know its position before the first fetch.
    return position === undefined || position < 0 ? undefined : position
  }

  get isOwned(): boolean {
    return !this.isOver && this.source.isOwned
  }

  /** Offset of the message that is next, or where the next one will be. */
  get headOffset(): number {
    return this.hand[0]?.offset ?? this.source.position
  }

  get lag(): number {
    return Math.max(0, this.source.lag) + this.hand.length
  }

  /** After a seek: what was in hand is dropped unmarked. */
  startOver(): void {
    this.hand = []
    this.attempts.clear()
    this.split = undefined
    this.#retryAtMs = 0
    this.#blocked = undefined
    this.#heldBack = undefined
    this.#offsets.reset(this.source.position)
  }

  #marked(offset: number): void {
    if (events.offsetsMarked.isHeard) events.offsetsMarked.publish({ ...this.place, offset })
    this.#onMarked()
  }

  #leaveHand(message: DeliveredMessage): void {
    if (this.onFinished !== undefined) this.onFinished(message)
    this.attempts.forget(message.offset)
    if (this.hand[0] === message) this.hand.shift()
    else this.hand = this.hand.filter((own) => own !== message)
  }

  // --- what holds it

  retryIn(delayMs: number): void {
    this.#retryAtMs = Math.max(this.#retryAtMs, this.now() + delayMs)
  }

  /** The pacing lets nothing through until then. */
  holdBack(reason: WaitReason, untilMs: number): void {
    if (untilMs <= this.now()) return
    this.#heldBack = { reason, untilMs }
    const forMs = untilMs - this.now()
    const offset = this.headOffset
    events.partitionPaused.publish({ ...this.place, offset, reason, forMs })
    if (reason === 'throttle') events.consumerThrottled.publish({ ...this.place, offset, untilMs })
  }

  pause(reason: PauseReason, forMs: number | undefined): void {
    const sinceMs = this.now()
    const untilMs = forMs === undefined ? Infinity : sinceMs + forMs
    this.#pause = { reason, untilMs, sinceMs: this.#pause?.sinceMs ?? sinceMs }
    events.partitionPaused.publish({ ...this.place, offset: this.headOffset, reason, forMs })
  }

  /** Takes nothing more, for good: no pause or resume of somebody else ends this. */
  quiet(): void {
    if (this.#isQuiet) return
    this.#isQuiet = true
    const offset = this.headOffset
    events.partitionPaused.publish({ ...this.place, offset, reason: 'quiet', forMs: undefined })
  }

  block(error: unknown, offset: number): void {
    const code = codeOf(error)
    this.#blocked = { code, error }
    events.partitionBlocked.publish({ ...this.place, offset, code, error })
  }

  /** Ends a pause, a back-off or a block. */
  resume(): void {
    const wasHeld = this.#pause !== undefined || this.#blocked !== undefined
    const pausedMs = this.#pausedMs()
    this.#pause = undefined
    this.#blocked = undefined
    this.#retryAtMs = 0
    this.source.resume()
    if (wasHeld) events.partitionResumed.publish({ ...this.place, pausedMs })
  }

  #pausedMs(): number {
    return this.#pause === undefined ? 0 : this.now() - this.#pause.sinceMs
  }

  /** What holds the partition now; a pause that has run out ends here. */
  hold(): Hold | undefined {
    if (this.#blocked !== undefined) return { kind: 'blocked', ...this.#blocked }
    // Quiet lets what is in hand finish, at its own pace; every other pause holds it too.
    const quiet = this.#isQuiet && this.hand.length === 0 ? quietHold : undefined
    if (this.#retryAtMs === 0 && this.#pause === undefined && this.#heldBack === undefined)
      return quiet
    const now = this.now()
    if (this.#pause !== undefined && now >= this.#pause.untilMs) {
      const pausedMs = this.#pausedMs()
      this.#pause = undefined
      events.partitionResumed.publish({ ...this.place, pausedMs })
    }
    if (quiet !== undefined) return quiet
    if (this.#pause !== undefined) {
      const { reason, untilMs } = this.#pause
      return { kind: 'paused', reason, untilMs }
    }
    if (now < this.#retryAtMs)
      return { kind: 'paused', reason: 'backoff', untilMs: this.#retryAtMs }
    if (this.#heldBack === undefined) return undefined
    if (now < this.#heldBack.untilMs) return { kind: 'paused', ...this.#heldBack }
    this.#heldBack = undefined
    return undefined
  }

  get isRetrying(): boolean {
    return this.now() < this.#retryAtMs
  }
}

const quietHold: Hold = { kind: 'paused', reason: 'quiet', untilMs: Infinity }

function codeOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error) return String(error.code)
  return error instanceof Error ? error.constructor.name : 'unknown'
}
