import { failure, type MillraceError } from '../../errors/index.ts'
import { backoffMs, type BackoffRules } from '../../kit/index.ts'
import type { Compression, NewRecord } from '../../protocol/index.ts'
import { requestBackoff } from '../retrying.ts'
import { Batch, sequenceAfter } from './batch.ts'
import { nextEpoch, type CurrentIdentity, type Identity } from './identity.ts'
import type { Receipt } from './receipt.ts'
import type { Verdict } from './verdict.ts'

/**
 * Everything of one partition between `send` and its answer: a state machine without time or I/O of its own.
 *
 *     append -> open -> waiting -> take -> flight -> answered -> settled
 *                                    ^        |
 *                                    +- retries (numbered, by order)
 *
 * What it promises, whatever the answers (the model test plays them):
 * - Messages lie in the log in the order of their sends, each once.
 * - Every message is settled exactly once.
 * - A sequence number belongs to a batch until the batch is finished; a retried batch keeps it. While one is in
 *   retry its successors wait: those in flight fail with 45 and rejoin in order; then one goes at a time until
 *   the retry is through.
 * - A gap (45 for the batch that is next in line, 59, a refusal or an expiry with successors) is closed by a new
 *   epoch once nothing is in flight: all that is left is numbered from 0 in order. Other partitions go on under
 *   their own pair.
 * - New numbers never go to what may have been written under old ones (`#dropDoubtful`).
 * - A batch that expires after an attempt whose fate is open is *unknown*, never *failed*; before anything else of the
 *   partition the epoch is raised, so that what still travels of it cannot land behind its successors.
 *
 * - The first batch under a pair goes alone. A broker that knows nothing of a producer in a partition takes any
 *   first sequence number (KIP-98), so were two in flight and the first refused, the second would overtake it.
 *   The same after an hour without an answer, since brokers forget idle producers.
 *
 * Without idempotence one batch is in flight at a time: order is kept, repeats are possible.
 */

export interface QueueRules {
  readonly batchBytes: number
  readonly lingerMs: number
  readonly deliveryTimeoutMs: number
  /** At most five: as many batches as a broker remembers of a producer (KIP-98). */
  readonly maxInFlight: number
  readonly compression: Compression
  readonly isIdempotent: boolean
  readonly random?: (() => number) | undefined
  readonly backoff?: BackoffRules | undefined
}

/** What the queue tells. Each batch is told delivered or failed exactly once. */
export interface QueueListener {
  delivered(batch: Batch, offset: number, appendTimeMs: number): void
  failed(
    batch: Batch,
    error: MillraceError,
    isOutcomeKnown: boolean,
    byRecord?: ReadonlyMap<number, MillraceError>,
  ): void
  retried(batch: Batch, delayMs: number, reason: string): void
  /** A batch was cut in two; its messages are now theirs. */
  split(batch: Batch, halves: readonly [Batch, Batch]): void
  epochRaised(queue: PartitionQueue, identity: Identity, reason: string): void
  fenced(queue: PartitionQueue, identity: Identity): void
}

interface Gap {
  /** Of the batch whose number was not used, or may not have been. */
  readonly order: number
  readonly reason: string
  /** That batch may lie in the log, or may still land there. */
  readonly isDoubtful: boolean
}

/** Far below the day after which brokers forget (producer.id.expiration.ms). */
const forgottenMs = 3_600_000

export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  readonly #rules: QueueRules
  readonly #identities: CurrentIdentity
  readonly #listener: QueueListener
  readonly #waiting: Batch[] = []
  readonly #retries: Batch[] = []
  readonly #flight: Batch[] = []
  #open: Batch | undefined
  #order = 0
  #own: Identity | undefined
  #nextSequence = 0
  /** When the broker last took a batch under the current pair. */
  #takenAtMs = -Infinity
  /** From where on numbers must start again. What stands before keeps its numbers and goes first. */
  #gap: Gap | undefined
  /** Something doubtful may still land: only a batch under a later epoch of the same producer id stops it. */
  #isUnfenced = false
  #pausedUntilMs = 0

  constructor(
    topic: string,
    partition: number,
    rules: QueueRules,
    identities: CurrentIdentity,
    listener: QueueListener,
  ) {
    this.topic = topic
    this.partition = partition
    this.#rules = rules
    this.#identities = identities
    this.#listener = listener
  }

  get isEmpty(): boolean {
    return (
      this.#open === undefined &&
      this.#flight.length === 0 &&
      this.#retries.length === 0 &&
      this.#waiting.length === 0
    )
  }

  /** Batches between `send` and settlement: the weight of this partition for the partitioner. */
  get length(): number {
    const open = this.#open ? 1 : 0
    return open + this.#flight.length + this.#retries.length + this.#waiting.length
  }

  get inFlight(): number {
    return this.#flight.length
  }

  get openBatch(): Batch | undefined {
    return this.#open
  }

  /** Encodes the message into the open batch at once; returns the bytes it takes there. */
  append(record: NewRecord, sizeBound: number, receipt: Receipt, nowMs: number): number {
    const { batchBytes, deliveryTimeoutMs } = this.#rules
    let open = this.#open
    if (open && open.sizeInBytes + sizeBound > batchBytes) {
      if (open.sizeInBytes + open.estimate(record) > batchBytes) {
        this.#waiting.push(open)
        open = undefined
      }
    }
    if (!open) {
      const { topic, partition } = this
      open = new Batch(topic, partition, this.#order, nowMs, nowMs + deliveryTimeoutMs)
      this.#open = open
    }
    const before = open.count === 0 ? 0 : open.sizeInBytes
    open.append(record, receipt)
    this.#order++
    return open.sizeInBytes - before
  }

  /** When `take` will next have something without an answer first; Infinity when only an answer helps. */
  dueMs(isFlushing: boolean): number {
    const isBusy = this.#flight.length > 0
    if (isBusy && (this.#gap || this.#retries.length > 0)) return Infinity
    if (this.#retries.length > 0) return this.#pausedUntilMs
    if (isBusy && this.#flight.length >= this.#inFlightLimit()) return Infinity
    if (this.#waiting.length > 0) return this.#pausedUntilMs
    if (!this.#open) return Infinity
    const lingered = isFlushing ? 0 : this.#open.createdMs + this.#rules.lingerMs
    return Math.max(this.#pausedUntilMs, lingered)
  }

  /** The next batch to send, closed and numbered; it counts as in flight until `answered`. */
  take(nowMs: number, isFlushing: boolean): Batch | undefined {
    if (nowMs < this.dueMs(isFlushing)) return undefined
    if (this.#gap && !this.#isBefore(this.#gap) && !this.#renumber(this.#gap)) return undefined
    const again = this.#retries.shift()
    if (again) return this.#depart(again.mustSplit ? this.#split(again) : again, nowMs)
    if (this.#rules.isIdempotent && !this.#adopt()) return undefined
    const fresh = this.#waiting.shift() ?? this.#open
    if (!fresh) return undefined
    if (fresh === this.#open) this.#open = undefined
    if (this.#own) {
      fresh.number(this.#own, this.#nextSequence)
      this.#nextSequence = sequenceAfter(this.#nextSequence, fresh.count)
    }
    fresh.close(this.#rules.compression)
    return this.#depart(fresh, nowMs)
  }

  answered(batch: Batch, verdict: Verdict, nowMs: number): void {
    const at = this.#flight.indexOf(batch)
    if (at === -1) return
    this.#flight.splice(at, 1)
    switch (verdict.kind) {
      case 'appended':
        this.#pausedUntilMs = 0
        if (batch.identity === this.#own) {
          this.#takenAtMs = nowMs
          // Before the gap is closed, this is still the pair that the doubtful went under.
          if (!this.#gap) this.#isUnfenced = false
        }
        this.#deliver(batch, verdict.offset, verdict.appendTimeMs)
        break
      case 'retry':
        if (verdict.isUnsure) batch.isUnsure = true
        this.#retry(batch, nowMs, verdict.reason, true)
        break
      case 'gap': {
        // Behind another that is not settled, 45 only says that the other must go first.
        const isNext = !this.#isBehindAnother(batch)
        // The broker has not taken it, nor, therefore, anything behind it.
        if (isNext) this.#renumberFrom(batch.order, verdict.reason, false)
        this.#retry(batch, nowMs, verdict.reason, isNext)
        break
      }
      case 'fenced':
        if (batch.identity) {
          this.#listener.fenced(this, batch.identity)
          this.#identities.renew(batch.identity)
        }
        this.#renumberFrom(batch.order, verdict.reason, true)
        // What refuses this batch for its epoch refuses every copy of the former ones too.
        this.#isUnfenced = false
        this.#retry(batch, nowMs, verdict.reason, true)
        break
      case 'too-large':
        // By its size, so every attempt met the same refusal.
        batch.isUnsure = false
        if (batch.count > 1) {
          batch.mustSplit = true
          this.#retry(batch, nowMs, 'too large: it is cut in two', false)
        } else {
          const { topic, sizeInBytes: bytes } = batch
          const context = { topic, bytes, limit: null }
          const options = { cause: verdict.error }
          this.#refuse(batch, failure('MR_PRODUCER_MESSAGE_TOO_LARGE', context, options))
        }
        break
      case 'refused':
        if (verdict.isByContent) batch.isUnsure = false
        this.#refuse(batch, verdict.error, verdict.byRecord)
        break
    }
  }

  /** Settles what is over its time. Returns when the next will be, or Infinity. */
  expire(nowMs: number): number {
    let nextMs = Infinity
    for (const batch of this.#flight) {
      // Its slot stays taken until the answer, or the end of the connection.
      if (batch.isSettled) continue
      if (batch.deadlineMs <= nowMs) this.#fail(batch, this.#outcomeUnknown('no answer yet'), false)
      else nextMs = Math.min(nextMs, batch.deadlineMs)
    }
    for (let head = this.#retries[0]; head && head.deadlineMs <= nowMs; head = this.#retries[0]) {
      this.#retries.shift()
      this.#giveUp(head, `its last attempt failed: ${head.lastFailure}`)
    }
    for (let head = this.#waiting[0]; head && head.deadlineMs <= nowMs; head = this.#waiting[0]) {
      this.#waiting.shift()
      this.#fail(head, this.#expired('its turn never came'), true)
    }
    if (this.#open && this.#open.deadlineMs <= nowMs) {
      const open = this.#open
      this.#open = undefined
      this.#fail(open, this.#expired('its turn never came'), true)
    }
    const oldest = this.#retries[0] ?? this.#waiting[0] ?? this.#open
    return Math.min(nextMs, oldest?.deadlineMs ?? Infinity)
  }

  /** Fails everything: the producer closes, or may not write at all. */
  abandon(error: MillraceError): void {
    const unsettled = [...this.#flight, ...this.#retries, ...this.#waiting]
    if (this.#open) unsettled.push(this.#open)
    this.#retries.length = 0
    this.#waiting.length = 0
    this.#open = undefined
    for (const batch of unsettled) {
      if (!batch.isSettled) this.#fail(batch, error, batch.attempts === 0)
    }
    if (this.#flight.length > 0) this.#renumberFrom(0, 'everything was given up', true)
  }

  #inFlightLimit(): number {
    const oldest = this.#flight[0]
    const isKnown = oldest !== undefined && oldest.sentMs - this.#takenAtMs < forgottenMs
    return isKnown ? this.#rules.maxInFlight : 1
  }

  #depart(batch: Batch, nowMs: number): Batch {
    batch.sentMs = nowMs
    batch.attempts++
    this.#flight.push(batch)
    return batch
  }

  /** Takes the producer's newest pair when nothing is numbered under the old one. False: there is none yet. */
  #adopt(): boolean {
    const { current } = this.#identities
    if (this.#own === current) return current !== undefined
    if (this.#flight.length > 0 || this.#isUnfenced) return true
    if (!current) return false
    this.#own = current
    this.#nextSequence = 0
    this.#takenAtMs = -Infinity
    return true
  }

  /** Does something wait that keeps its number? */
  #isBefore(gap: Gap): boolean {
    const head = this.#retries[0]
    return head !== undefined && head.order < gap.order
  }

  /** Nothing is in flight here. False: waits for a fresh producer id. */
  #renumber({ reason, isDoubtful }: Gap): boolean {
    if (!this.#rules.isIdempotent) {
      this.#gap = undefined
      return true
    }
    const next = this.#nextIdentity()
    if (!next) return false
    this.#own = next
    this.#nextSequence = 0
    this.#takenAtMs = -Infinity
    if (isDoubtful) this.#dropDoubtful()
    for (const batch of this.#retries) {
      batch.isUnsure = false
      batch.number(next, this.#nextSequence)
      this.#nextSequence = sequenceAfter(this.#nextSequence, batch.count)
    }
    this.#gap = undefined
    this.#listener.epochRaised(this, next, reason)
    return true
  }

  #nextIdentity(): Identity | undefined {
    const own = this.#own
    if (own) this.#identities.raise(own)
    const { current } = this.#identities
    // Another producer id fences nothing: copies under the old one would still be taken.
    if (own && this.#isUnfenced && current?.producerId !== own.producerId)
      return nextEpoch(own) ?? current
    return current
  }

  /**
   * Under new numbers a broker cannot tell a repeat. So what may have landed behind a doubtful batch must not go
   * again: its outcome is unknown too. The first that surely did not land ends the doubt: without it, nothing
   * behind it can have been taken under the old numbers, nor ever will be.
   */
  #dropDoubtful(): void {
    while (this.#retries[0]?.isUnsure === true) {
      const batch = this.#retries.shift()
      const reason = 'a batch before it was given up with an unknown outcome'
      if (batch) this.#fail(batch, this.#outcomeUnknown(reason), false)
    }
  }

  #renumberFrom(order: number, reason: string, isDoubtful: boolean): void {
    if (isDoubtful) this.#isUnfenced = true
    if (!this.#gap || order < this.#gap.order) this.#gap = { order, reason, isDoubtful }
  }

  #isBehindAnother(batch: Batch): boolean {
    const isBefore = (other: Batch): boolean => other.order < batch.order
    return this.#flight.some(isBefore) || this.#retries.some(isBefore)
  }

  #split(batch: Batch): Batch {
    const halves = batch.split(this.#rules.compression)
    this.#retries.unshift(halves[1])
    this.#listener.split(batch, halves)
    return halves[0]
  }

  #retry(batch: Batch, nowMs: number, reason: string, pauses: boolean): void {
    batch.lastFailure = reason
    if (batch.isSettled || nowMs >= batch.deadlineMs) {
      this.#giveUp(batch, reason)
      return
    }
    let at = this.#retries.length
    while (at > 0 && (this.#retries[at - 1]?.order ?? -1) > batch.order) at--
    this.#retries.splice(at, 0, batch)
    const { backoff = requestBackoff, random } = this.#rules
    const delayMs = pauses ? backoffMs(backoff, batch.attempts, random) : 0
    if (pauses) this.#pausedUntilMs = Math.max(this.#pausedUntilMs, nowMs + delayMs)
    this.#listener.retried(batch, delayMs, reason)
  }

  #refuse(batch: Batch, error: MillraceError, byRecord?: ReadonlyMap<number, MillraceError>): void {
    const isBehind = (other: Batch): boolean => other.order > batch.order
    const isLast = !this.#flight.some(isBehind) && !this.#retries.some(isBehind)
    // Its numbers were not used. Without successors they are free again; with them there is a gap.
    if (isLast && !batch.isUnsure && batch.identity && batch.identity === this.#own) {
      this.#nextSequence = batch.baseSequence
    } else {
      this.#renumberFrom(batch.order, 'a batch was given up', batch.isUnsure)
    }
    if (!batch.isSettled) this.#fail(batch, error, !batch.isUnsure, byRecord)
  }

  #deliver(batch: Batch, offset: number, appendTimeMs: number): void {
    if (batch.isSettled) return
    batch.isSettled = true
    this.#listener.delivered(batch, offset, appendTimeMs)
  }

  /** Its time is over. What no attempt can have written is known not to be in the log. */
  #giveUp(batch: Batch, reason: string): void {
    this.#refuse(batch, batch.isUnsure ? this.#outcomeUnknown(reason) : this.#expired(reason))
  }

  #expired(reason: string): MillraceError {
    const { topic, partition } = this
    const { deliveryTimeoutMs: timeoutMs } = this.#rules
    return failure('MR_PRODUCER_EXPIRED', { topic, partition, timeoutMs, reason })
  }

  #outcomeUnknown(reason: string): MillraceError {
    const { topic, partition } = this
    const { deliveryTimeoutMs: timeoutMs } = this.#rules
    return failure('MR_PRODUCER_OUTCOME_UNKNOWN', { topic, partition, timeoutMs, reason })
  }

  #fail(
    batch: Batch,
    error: MillraceError,
    isOutcomeKnown: boolean,
    byRecord?: ReadonlyMap<number, MillraceError>,
  ): void {
    batch.isSettled = true
    this.#listener.failed(batch, error, isOutcomeKnown, byRecord)
  }
}
