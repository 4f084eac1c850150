import { failure, type MillraceError } from '../../errors/index.ts'
import { backoffMs, type BackoffRules } from '../../kit/index.ts'
import type { Compression, NewRecord } from '../../protocol/index.ts'
import { requestBackoff } from '../retrying.ts'
import { Batch, sequenceAfter } from './batch.ts'
import type { CurrentIdentity, Identity } from './identity.ts'
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
 * - A batch that expires after it was sent is *unknown*, never *failed*; before anything else of the partition the
 *   epoch is raised, so that what still travels of it cannot land behind its successors.
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
  /** Why numbers must start again before anything else goes. */
  #renumbering: string | undefined
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
    if (isBusy && (this.#renumbering !== undefined || this.#retries.length > 0)) return Infinity
    if (this.#retries.length > 0) return this.#pausedUntilMs
    if (this.#flight.length >= this.#rules.maxInFlight) return Infinity
    if (this.#waiting.length > 0) return this.#pausedUntilMs
    if (!this.#open) return Infinity
    const lingered = isFlushing ? 0 : this.#open.createdMs + this.#rules.lingerMs
    return Math.max(this.#pausedUntilMs, lingered)
  }

  /** The next batch to send, closed and numbered; it counts as in flight until `answered`. */
  take(nowMs: number, isFlushing: boolean): Batch | undefined {
    if (nowMs < this.dueMs(isFlushing)) return undefined
    if (this.#renumbering !== undefined && !this.#renumber()) return undefined
    const again = this.#retries.shift()
    if (again) return this.#depart(again.mustSplit ? this.#split(again) : again)
    if (this.#rules.isIdempotent && !this.#adopt()) return undefined
    const fresh = this.#waiting.shift() ?? this.#open
    if (!fresh) return undefined
    if (fresh === this.#open) this.#open = undefined
    if (this.#own) {
      fresh.number(this.#own, this.#nextSequence)
      this.#nextSequence = sequenceAfter(this.#nextSequence, fresh.count)
    }
    fresh.close(this.#rules.compression)
    return this.#depart(fresh)
  }

  answered(batch: Batch, verdict: Verdict, nowMs: number): void {
    const at = this.#flight.indexOf(batch)
    if (at === -1) return
    this.#flight.splice(at, 1)
    switch (verdict.kind) {
      case 'appended':
        this.#pausedUntilMs = 0
        this.#deliver(batch, verdict.offset, verdict.appendTimeMs)
        break
      case 'retry':
        if (verdict.isUnsure) batch.isUnsure = true
        this.#retry(batch, nowMs, verdict.reason, true)
        break
      case 'gap': {
        // Behind another that is not settled, 45 only says that the other must go first.
        const isNext = !this.#isBehindAnother(batch)
        if (isNext) this.#renumberFor(verdict.reason)
        this.#retry(batch, nowMs, verdict.reason, isNext)
        break
      }
      case 'fenced':
        if (batch.identity) {
          this.#listener.fenced(this, batch.identity)
          this.#identities.renew(batch.identity)
        }
        this.#renumberFor(verdict.reason)
        this.#retry(batch, nowMs, verdict.reason, true)
        break
      case 'too-large':
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
      if (batch.deadlineMs <= nowMs) this.#unknown(batch, 'no answer yet')
      else nextMs = Math.min(nextMs, batch.deadlineMs)
    }
    for (let head = this.#retries[0]; head && head.deadlineMs <= nowMs; head = this.#retries[0]) {
      this.#retries.shift()
      this.#unknown(head, 'attempts failed')
      this.#renumberFor('a batch with an unknown outcome was given up')
    }
    for (let head = this.#waiting[0]; head && head.deadlineMs <= nowMs; head = this.#waiting[0]) {
      this.#waiting.shift()
      this.#expired(head)
    }
    if (this.#open && this.#open.deadlineMs <= nowMs) {
      const open = this.#open
      this.#open = undefined
      this.#expired(open)
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
    if (this.#flight.length > 0) this.#renumberFor('everything was given up')
  }

  #depart(batch: Batch): Batch {
    batch.attempts++
    this.#flight.push(batch)
    return batch
  }

  /** Takes the producer's newest pair when nothing is numbered under the old one. False: there is none yet. */
  #adopt(): boolean {
    const { current } = this.#identities
    if (this.#own === current) return current !== undefined
    if (this.#flight.length > 0) return true
    if (!current) return false
    this.#own = current
    this.#nextSequence = 0
    return true
  }

  /** Nothing is in flight here. False: waits for a fresh producer id. */
  #renumber(): boolean {
    const reason = this.#renumbering ?? ''
    if (!this.#rules.isIdempotent) {
      this.#renumbering = undefined
      return true
    }
    if (this.#own) this.#identities.raise(this.#own)
    const { current } = this.#identities
    if (!current) return false
    this.#own = current
    this.#nextSequence = 0
    for (const batch of this.#retries) {
      batch.number(current, this.#nextSequence)
      this.#nextSequence = sequenceAfter(this.#nextSequence, batch.count)
    }
    this.#renumbering = undefined
    this.#listener.epochRaised(this, current, reason)
    return true
  }

  #renumberFor(reason: string): void {
    this.#renumbering ??= reason
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
    if (batch.isSettled) {
      this.#renumberFor('a batch with an unknown outcome was given up')
      return
    }
    if (nowMs >= batch.deadlineMs) {
      this.#unknown(batch, reason)
      this.#renumberFor('a batch with an unknown outcome was given up')
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
    const isAlone = this.#flight.length === 0 && this.#retries.length === 0
    const isOwn = batch.identity !== undefined && batch.identity === this.#own
    // Its numbers were not used. Without successors they are free again; with them there is a gap.
    if (isAlone && isOwn && !batch.isUnsure && !batch.isSettled) {
      this.#nextSequence = batch.baseSequence
    } else {
      this.#renumberFor('a batch was refused')
    }
    if (!batch.isSettled) this.#fail(batch, error, !batch.isUnsure, byRecord)
  }

  #deliver(batch: Batch, offset: number, appendTimeMs: number): void {
    if (batch.isSettled) return
    batch.isSettled = true
    this.#listener.delivered(batch, offset, appendTimeMs)
  }

  #expired(batch: Batch): void {
    const { topic, partition } = this
    const { deliveryTimeoutMs: timeoutMs } = this.#rules
    this.#fail(batch, failure('MR_PRODUCER_EXPIRED', { topic, partition, timeoutMs }), true)
  }

  #unknown(batch: Batch, reason: string): void {
    const { topic, partition } = this
    const { deliveryTimeoutMs: timeoutMs } = this.#rules
    const context = { topic, partition, timeoutMs, reason }
    this.#fail(batch, failure('MR_PRODUCER_OUTCOME_UNKNOWN', context), false)
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
