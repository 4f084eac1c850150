import { failure } from '../../errors/index.ts'
import { headerBytes, headerNames, headerNumber, headerText } from '../dead-letter/headers.ts'
import type { DeliveredMessage } from '../message/message.ts'
import type { FilterContext, PacingOptions } from './options.ts'
import { go, type Admission, type AdmissionTime, type Pacing } from './pacing.ts'
import { isExpired, type Throttle } from './policy.ts'

/** The pacing options of a consumer in numbers; what is undefined is off. */
export interface PacingRules {
  readonly consumer: string
  readonly group: string
  readonly groupId: string
  readonly filter: PacingOptions['filter']
  readonly filterRaw: PacingOptions['filterRaw']
  readonly expireAfterMs: number | undefined
  readonly expired: 'skip' | 'deadLetter'
  readonly delayMs: number | undefined
}

/**
 * Decides for one partition, message by message, in this order: for another group, expired, filtered by its bytes, not yet
 * due, filtered, throttled. What is cheap and needs no decoding comes first; only what reaches the handler is counted by the
 * throttle.
 */
export class PartitionPacing implements Pacing {
  readonly #rules: PacingRules
  readonly #throttle: Throttle | undefined
  readonly #isRetryTopic: boolean
  /** Passed the filters in this attempt, and is asked for again because it had to wait. */
  #passed = -1
  #passedAttempt = 0
  /** Counted by the throttle and not finished: asked about again when they did not start after all, and not counted twice. */
  readonly #counted = new Set<number>()

  constructor(rules: PacingRules, throttle: Throttle | undefined, isRetryTopic: boolean) {
    this.#rules = rules
    this.#throttle = throttle
    this.#isRetryTopic = isRetryTopic
  }

  admit(message: DeliveredMessage, { nowMs, attempt }: AdmissionTime): Admission {
    const rules = this.#rules
    if (isForOthers(message, rules))
      return { kind: 'finish', reason: 'filtered', detail: 'only-group' }
    if (rules.expireAfterMs !== undefined) {
      const expired = this.#expired(message, rules.expireAfterMs, nowMs)
      if (expired !== undefined) return expired
    }
    const { offset } = message
    const hasPassed = offset === this.#passed && attempt === this.#passedAttempt
    if (rules.filterRaw !== undefined && !hasPassed) {
      const { key } = message.source
      if (!this.#passes(rules.filterRaw(key, message.headers)))
        return { kind: 'finish', reason: 'filtered', detail: 'filterRaw' }
    }
    const dueMs = this.#dueMs(message)
    if (dueMs > nowMs) return { kind: 'wait', untilMs: dueMs, reason: 'delay' }
    if (rules.filter !== undefined && !hasPassed) {
      const { consumer, group } = rules
      const context: FilterContext = { consumer, group, attempt }
      if (!this.#passes(rules.filter(message, context)))
        return { kind: 'finish', reason: 'filtered', detail: 'filter' }
    }
    this.#passed = offset
    this.#passedAttempt = attempt
    return this.#throttled(offset, attempt, nowMs)
  }

  finished({ offset }: DeliveredMessage): void {
    if (this.#counted.size > 0) this.#counted.delete(offset)
  }

  #expired(message: DeliveredMessage, expireAfterMs: number, nowMs: number): Admission | undefined {
    const timestampMs = this.#timestampMs(message)
    if (!isExpired(timestampMs, expireAfterMs, nowMs)) return undefined
    if (this.#rules.expired === 'skip') return { kind: 'finish', reason: 'expired' }
    const { topic, partition, offset } = message.source
    const at = { topic, partition, offset, ageMs: nowMs - timestampMs }
    return { kind: 'giveUp', reason: 'expired', error: failure('MR_APP_MESSAGE_EXPIRED', at) }
  }

  /** A copy in a retry topic is as old as its message. */
  #timestampMs({ source }: DeliveredMessage): number {
    if (!this.#isRetryTopic) return source.timestamp
    return headerNumber(source.headers, headerNames.sourceTimestamp) ?? source.timestamp
  }

  #dueMs({ source }: DeliveredMessage): number {
    if (this.#isRetryTopic) return headerNumber(source.headers, headerNames.retryAt) ?? 0
    const { delayMs } = this.#rules
    return delayMs === undefined ? 0 : source.timestamp + delayMs
  }

  #passes(verdict: unknown): boolean {
    if (typeof verdict === 'object' && verdict !== null && 'then' in verdict) {
      // It may reject, and nobody else holds it; the error below says what is wrong.
      Promise.resolve(verdict as PromiseLike<unknown>).catch(() => undefined)
      throw failure('MR_APP_FILTER_ASYNC', { consumer: this.#rules.consumer })
    }
    return Boolean(verdict)
  }

  #throttled(offset: number, attempt: number, nowMs: number): Admission {
    const throttle = this.#throttle
    if (throttle === undefined || attempt > 1 || this.#counted.has(offset)) return go
    const untilMs = throttle.freeAtMs(nowMs)
    if (untilMs > 0) return { kind: 'wait', untilMs, reason: 'throttle' }
    throttle.admit(nowMs)
    this.#counted.add(offset)
    return go
  }
}

/** A copy that was made for one group, and this is another. */
export function isForOthers(
  { source }: DeliveredMessage,
  { group, groupId }: Pick<PacingRules, 'group' | 'groupId'>,
): boolean {
  if (source.headers.length === 0) return false
  const only = headerBytes(source.headers, headerNames.onlyGroup)
  if (only === undefined || only === null) return false
  const name = only.toString()
  if (name === groupId || name === group) return false
  const copyIn = headerText(source.headers, headerNames.copyIn)
  return copyIn === undefined || copyIn === source.topic
}
