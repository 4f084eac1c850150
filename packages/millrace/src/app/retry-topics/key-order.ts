import { failure } from '../../errors/index.ts'
import type { Clock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import { headerNames, headerNumber } from '../dead-letter/headers.ts'
import { originOf } from '../dead-letter/policy.ts'
import type { DeliveredMessage } from '../message/message.ts'
import type { Detour } from '../owner/departures.ts'
import { isForOthers } from '../pacing/partition-pacing.ts'
import type { Admission, AdmissionTime, Pacing, PacingPlace } from '../pacing/pacing.ts'
import type { EncodedMessage, Sent } from '../ports.ts'
import { encodeParked, type ParkedLog } from './parked-log.ts'
import { ParkedPartition } from './parked-partition.ts'
import type { ParkedRecord } from './parked-view.ts'

/** What `order: 'key'` needs of the worker around it. */
export interface RetryRuntime {
  readonly log: ParkedLog
  /** Acknowledged by all replicas. */
  readonly send: (message: EncodedMessage) => Promise<Sent>
  readonly clock: Clock
}

/** Where a message goes, and what is said about it. */
export interface Move {
  readonly tier: number
  readonly dueMs: number
  readonly tries: number
  readonly attempts: number
  readonly firstFailedAtMs: number | undefined
  readonly error: unknown
}

export interface KeyOrderParts {
  readonly group: string
  readonly groupId: string
  readonly parkedTopicOf: (source: string) => string
  readonly delayMsOf: (tier: number) => number
  /** Undefined for a topic that is no retry topic. */
  readonly tierOfTopic: (topic: string) => number | undefined
  readonly copy: (message: DeliveredMessage, move: Move, parkedAt: number) => EncodedMessage
  readonly topicOf: (source: string, tier: number) => string
  readonly retentionMs: number
}

/** The view is looked at again so soon while it is read in. */
const lookAgainMs = 25
const closeAgainMs = 1000

/**
 * `order: 'key'`: messages of a key are handled in the order of their source although some of them wait elsewhere.
 *
 *     source      m1 fails, m2 and m3 of its key come      m2, m3 are moved behind m1, untried
 *     retry 30s   m1 | m2 | m3                             each waits until what is before it in its key has finished,
 *                                                          and follows it into the next retry topic where it has moved on
 *
 * A move writes its record first, then the copy, then the position is committed; a finish writes a tombstone, and nothing
 * is committed past a message whose tombstone is not acknowledged. So after a crash what is parked is known; the same
 * message may be parked or handled twice, but never one before another that is not finished.
 */
export class KeyOrder {
  readonly parts: KeyOrderParts
  readonly #partitions = new Map<string, { readonly parked: ParkedPartition; users: number }>()
  /** Written elsewhere, and so not finished although they leave their partition. */
  readonly #moved = new WeakSet<DeliveredMessage>()
  #runtime: RetryRuntime | undefined

  constructor(parts: KeyOrderParts) {
    this.parts = parts
  }

  attach(runtime: RetryRuntime): void {
    this.#runtime = runtime
  }

  get runtime(): RetryRuntime {
    if (this.#runtime === undefined) throw failure('MR_APP_RETRY_DETACHED', {})
    return this.#runtime
  }

  /** Every partition that has this number shares one view, the source's and those of its retry topics. */
  open(source: string, partition: number): ParkedPartition {
    const at = `${source}/${partition}`
    const known = this.#partitions.get(at)
    if (known !== undefined) {
      known.users++
      return known.parked
    }
    const feed = this.runtime.log.follow(this.parts.parkedTopicOf(source), partition)
    const parked = new ParkedPartition(feed)
    this.#partitions.set(at, { parked, users: 1 })
    return parked
  }

  close(source: string, partition: number): void {
    const at = `${source}/${partition}`
    const known = this.#partitions.get(at)
    if (known === undefined || --known.users > 0) return
    this.#partitions.delete(at)
    known.parked.close()
  }

  /** Undefined while no partition of this number is consumed here. */
  parkedOf(source: string, partition: number): ParkedPartition | undefined {
    return this.#partitions.get(`${source}/${partition}`)?.parked
  }

  /** Record, then copy; both are repeated when either fails. */
  detour(message: DeliveredMessage, move: Move): Detour {
    const { parts } = this
    const source = message.topic
    const origin = originOf(message.source)
    const key = keyOf(message)
    const topic = parts.topicOf(source, move.tier)
    const facts = {
      topic,
      nextTryAtMs: move.dueMs,
      onAcknowledged: () => void this.#moved.add(message),
    }
    if (key === undefined) return { ...facts, encoded: parts.copy(message, move, -1) }
    const record: ParkedRecord = { key, tier: move.tier, dueMs: move.dueMs }
    const parkedTopic = parts.parkedTopicOf(source)
    return {
      ...facts,
      encoded: parts.copy(message, move, -1),
      write: async (send) => {
        const { partition, offset } = origin
        const written = await send({
          topic: parkedTopic,
          partition,
          key: String(offset),
          value: encodeParked(record),
        })
        this.parkedOf(source, partition)?.wrote(offset, record, written.offset)
        return send(parts.copy(message, move, written.offset))
      },
    }
  }

  hasMoved(message: DeliveredMessage): boolean {
    return this.#moved.has(message)
  }

  pacing(base: Pacing, place: PacingPlace): Pacing {
    return new OrderedPacing(this, base, place)
  }
}

/** One partition of the source or of a retry topic. */
class OrderedPacing implements Pacing {
  readonly #order: KeyOrder
  readonly #base: Pacing
  readonly #tier: number | undefined
  /** By the partition of the source, which is this one's number unless a topic has fewer. */
  readonly #opened = new Map<number, ParkedPartition>()
  #source = ''
  /** Finished here, their tombstones not acknowledged. */
  readonly #closing = new Set<number>()
  #isClosed = false

  constructor(order: KeyOrder, base: Pacing, place: PacingPlace) {
    this.#order = order
    this.#base = base
    this.#tier = order.parts.tierOfTopic(place.topic)
  }

  admit(message: DeliveredMessage, at: AdmissionTime): Admission {
    const key = keyOf(message)
    if (key === undefined || isForOthers(message, this.#order.parts))
      return this.#base.admit(message, at)
    const origin = originOf(message.source)
    const parked = this.#open(message.topic, origin.partition)
    const isCopy = this.#tier !== undefined
    const through = headerNumber(message.headers, headerNames.parkedAt) ?? -1
    if (!parked.isKnown(isCopy ? through : -1))
      return { kind: 'wait', untilMs: at.nowMs + lookAgainMs, reason: 'delay' }

    const before = this.#stillThere(parked.before(key, origin.offset), at.nowMs)
    if (before !== undefined) return this.#behind(message, before, at)
    // Parked by a worker that ended before it could commit: not tried again before its time.
    const own = isCopy ? undefined : this.#stillThere(parked.of(origin.offset), at.nowMs)
    if (own !== undefined) return this.#behind(message, own, at)
    return this.#base.admit(message, at)
  }

  finished(message: DeliveredMessage): void {
    this.#base.finished?.(message)
    if (keyOf(message) === undefined || this.#order.hasMoved(message)) return
    const { offset, partition } = originOf(message.source)
    const parked = this.#opened.get(partition)
    if (this.#tier === undefined && parked?.of(offset) === undefined) return
    parked?.finishing(offset)
    this.#closing.add(message.offset)
    void this.#finish(message, partition, offset)
  }

  commitBelow(): number | undefined {
    return this.#closing.size === 0 ? undefined : Math.min(...this.#closing)
  }

  close(): void {
    this.#isClosed = true
    this.#base.close?.()
    for (const partition of this.#opened.keys()) this.#order.close(this.#source, partition)
    this.#opened.clear()
  }

  #open(source: string, partition: number): ParkedPartition {
    const known = this.#opened.get(partition)
    if (known !== undefined) return known
    const parked = this.#order.open(source, partition)
    // Whoever had the source before may have parked something after this view, which a retry topic had opened, was read.
    if (this.#tier === undefined) parked.refresh()
    this.#source = source
    this.#opened.set(partition, parked)
    return parked
  }

  /** A copy that retention must have taken holds nobody up for ever. */
  #stillThere(record: ParkedRecord | undefined, nowMs: number): ParkedRecord | undefined {
    if (record === undefined || nowMs - record.dueMs > this.#order.parts.retentionMs)
      return undefined
    return record
  }

  /** Into the retry topic in which what it waits for lies, due with it: there it stands right behind. */
  #behind(message: DeliveredMessage, before: ParkedRecord, { nowMs }: AdmissionTime): Admission {
    const { parts } = this.#order
    const { tier } = before
    // In this very topic it can only stand further behind, or its tombstone is on its way: not again at once.
    const isHere = tier === this.#tier
    const dueMs = isHere ? Math.max(before.dueMs, nowMs + parts.delayMsOf(tier)) : before.dueMs
    const written = headerNumber(message.headers, headerNames.retryTries)
    const tries = this.#tier === undefined ? 0 : (written ?? 0)
    const move: Move = {
      tier,
      dueMs,
      tries,
      attempts: 0,
      firstFailedAtMs: undefined,
      error: undefined,
    }
    return { kind: 'depart', detour: this.#order.detour(message, move) }
  }

  async #finish(message: DeliveredMessage, partition: number, offset: number): Promise<void> {
    const { parts, runtime } = this.#order
    const source = message.topic
    const topic = parts.parkedTopicOf(source)
    const tombstone = { topic, partition, key: String(offset), value: null }
    while (!this.#isClosed) {
      try {
        const written = await runtime.send(tombstone)
        this.#order.parkedOf(source, partition)?.wrote(offset, undefined, written.offset)
        this.#closing.delete(message.offset)
        return
      } catch (error) {
        events.error.publish({ type: 'retry-topic', error })
        await new Promise<void>((resolve) => runtime.clock.after(closeAgainMs, resolve))
      }
    }
  }
}

/** In base64; undefined for a message without a key, which has no order to keep. */
function keyOf({ source }: DeliveredMessage): string | undefined {
  return source.key === null ? undefined : source.key.toString('base64')
}
