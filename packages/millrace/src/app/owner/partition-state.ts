import { joinMetadata, splitMetadata, userMetadataLimit, type Runs } from '../../client/index.ts'
import { failure } from '../../errors/index.ts'
import { events } from '../../telemetry/index.ts'
import type { ConsumerPlan } from '../consumer/plan.ts'
import { DeliveredMessage } from '../message/message.ts'
import { UserMetadata } from '../offsets/metadata.ts'
import {
  automaticOffsets,
  manualLaneOffsets,
  manualOffsets,
  type OffsetPolicy,
} from '../offsets/policy.ts'
import type { Clock, SourceMessage, SourcePartition } from '../ports.ts'
import type { Topic } from '../topic/define-topic.ts'
import { Tracker } from '../tracker/tracker.ts'
import { Attempts } from './attempts.ts'
import { Holds } from './holds.ts'
import type { Place } from './place.ts'
import type { Work } from './work.ts'

export interface MarkRequest {
  readonly rewind: boolean
  readonly metadata: string | undefined
}

/** What goes to the broker. */
export interface Position {
  readonly offset: number
  readonly metadata: string
}

/**
 * Where one partition stands: what is finished and marked, what has failed, what holds it. Decides nothing and waits
 * for nothing.
 *
 * A message leaves the hand only when it is finished: handled, skipped, or acknowledged elsewhere.
 */
export class PartitionState {
  readonly plan: ConsumerPlan
  readonly topic: Topic
  readonly source: SourcePartition
  readonly place: Place
  readonly attempts: Attempts
  readonly holds: Holds
  readonly tracker: Tracker
  readonly #offsets: OffsetPolicy
  readonly #metadata: UserMetadata
  readonly #clock: Clock
  readonly #onMarked: () => void
  /** From messages of a failed batch that named none: each is handled alone. True: it has one attempt left. */
  readonly #alone = new Map<number, boolean>()
  /** Timestamp of the last message that was taken. */
  #receivedTimestamp: number
  /** Finished in an earlier tenure, above the offset that was committed then. */
  #known: Runs
  /** Nothing counts any more: the tenure is over, or a handler was left behind. */
  isOver = false
  /** For a pacing that wants to know. */
  onFinished: ((message: DeliveredMessage) => void) | undefined
  work!: Work

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
    this.attempts = new Attempts(plan.onError !== undefined)
    this.holds = new Holds({
      place: this.place,
      source,
      clock,
      headOffset: () => this.headOffset,
      isHandEmpty: () => this.work.size === 0,
    })
    const { offset = -1, metadata = '' } = source.committed ?? {}
    const { user, runs } = splitMetadata(metadata, offset)
    this.#metadata = new UserMetadata(user)
    this.#known = runs
    this.#receivedTimestamp = clock.now()
    this.tracker = new Tracker(source.position, plan.lanes.window)
    this.#offsets = this.#makeOffsets()
  }

  #makeOffsets(): OffsetPolicy {
    const { tracker, source, plan } = this
    const committed = source.committed?.offset
    if (plan.offsets !== 'manual') return automaticOffsets(tracker, () => source.position)
    return plan.lanes.size > 1
      ? manualLaneOffsets(tracker, committed)
      : manualOffsets(tracker, committed)
  }

  now(): number {
    return this.#clock.now()
  }

  // --- messages

  /** Undefined for one that was finished in an earlier tenure. */
  receive(source: SourceMessage): DeliveredMessage | undefined {
    const { offset } = source
    this.#receivedTimestamp = source.timestamp
    this.tracker.start(offset)
    this.#offsets.started?.(offset)
    if (this.#known.length > 0 && this.#isKnown(offset)) {
      events.consumerSkipped.publish({ ...this.place, offset, reason: 'finished before' })
      if (this.#offsets.settled(offset)) this.#marked(offset)
      return undefined
    }
    const message = new DeliveredMessage(source, this.topic)
    this.work.add(message)
    return message
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

  /** Nobody knows which of them failed the batch: each comes again by itself. */
  runAlone(messages: readonly DeliveredMessage[], isFinal: boolean): void {
    for (const { offset } of messages) this.#alone.set(offset, isFinal)
  }

  isAlone({ offset }: DeliveredMessage): boolean {
    return this.#alone.size > 0 && this.#alone.has(offset)
  }

  /** Its retries were used up by the batch that it was part of. */
  isLastAttempt({ offset }: DeliveredMessage): boolean {
    return this.#alone.size > 0 && this.#alone.get(offset) === true
  }

  /** The user's mark. False when the partition is lost. @throws MR_APP_METADATA_TOO_LONG, MR_APP_REWIND_LANES */
  mark(offset: number, { rewind, metadata }: MarkRequest): boolean {
    if (!this.isOwned) return false
    if (metadata !== undefined) {
      const bytes = Buffer.byteLength(metadata)
      if (bytes > userMetadataLimit)
        throw failure('MR_APP_METADATA_TOO_LONG', { bytes, limit: userMetadataLimit })
    }
    if (this.#offsets.mark(offset, { rewind })) this.#marked(offset)
    if (rewind) this.#metadata.forgetFrom(offset + 1)
    if (metadata !== undefined) {
      this.#metadata.note(offset, metadata)
      this.#onMarked()
    }
    return true
  }

  /** Undefined while there is nothing to commit. */
  get position(): Position | undefined {
    const offset = this.#offsets.position()
    // The source does not know its position before the first fetch.
    if (offset === undefined || offset < 0) return undefined
    return { offset, metadata: joinMetadata(this.#metadata.at(offset), offset, this.#ahead()) }
  }

  /** What the user has committed with, as far as it is true for what was found at the start. */
  get userMetadata(): string {
    return this.#metadata.at(-1)
  }

  get isOwned(): boolean {
    return !this.isOver && this.source.isOwned
  }

  /** Offset of the message that is next, or where the next one will be. */
  get headOffset(): number {
    return this.tracker.span > 0 ? this.tracker.position : this.source.position
  }

  get lag(): number {
    return Math.max(0, this.source.lag) + this.work.size
  }

  /** Age of the oldest message that is not finished; 0 without any. What was not fetched yet counts as the last that was. */
  get timeLagMs(): number {
    const { oldest } = this.work
    if (oldest !== undefined) return Math.max(0, this.now() - oldest.timestamp)
    return this.source.lag > 0 ? Math.max(0, this.now() - this.#receivedTimestamp) : 0
  }

  /** After a seek: what was in hand is dropped unmarked. */
  startOver(): void {
    this.work.clear()
    this.attempts.clear()
    this.holds.startOver()
    this.#alone.clear()
    // Whoever goes back wants to see them again.
    this.#known = []
    this.#metadata.forgetFrom(0)
    this.#offsets.reset(this.source.position)
  }

  #marked(offset: number): void {
    if (events.offsetsMarked.isHeard) events.offsetsMarked.publish({ ...this.place, offset })
    this.#onMarked()
  }

  #leaveHand(message: DeliveredMessage): void {
    if (message.isDone) return
    message.isDone = true
    if (this.onFinished !== undefined) this.onFinished(message)
    this.attempts.forget(message.offset)
    if (this.#alone.size > 0) this.#alone.delete(message.offset)
    this.work.remove(message)
  }

  /** Offsets come in rising order, so runs that are passed are not looked at again. */
  #isKnown(offset: number): boolean {
    while ((this.#known[1] ?? Infinity) <= offset) this.#known = this.#known.slice(2)
    return offset >= (this.#known[0] ?? Infinity)
  }

  /** With what is known of earlier tenures and was not received in this one yet. */
  #ahead(): Runs {
    const ahead = this.#offsets.ahead()
    if (this.#known.length === 0) return ahead
    const next = Math.max(this.tracker.next, 0)
    const later = this.#known.flatMap((edge, index) => {
      const end = this.#known[index | 1] as number
      return end <= next ? [] : [Math.max(edge, next)]
    })
    // One run, when the two meet.
    return ahead.at(-1) === later[0]
      ? [...ahead.slice(0, -1), ...later.slice(1)]
      : [...ahead, ...later]
  }
}
