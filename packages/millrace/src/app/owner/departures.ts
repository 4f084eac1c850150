import { backoffMs } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import { StormWatch } from '../dead-letter/policy.ts'
import type { DeliveredMessage } from '../message/message.ts'
import type { EncodedMessage, Sent } from '../ports.ts'
import type { OwnerEnvironment } from './environment.ts'
import type { PartitionState } from './partition-state.ts'

/** Where else a message goes on, such as a retry topic: as bytes on the wire. */
export interface Detour {
  readonly encoded: EncodedMessage
  /** Instead of sending `encoded` alone: when more has to be written with it. Resolves with where the copy lies. */
  readonly write?: (send: (message: EncodedMessage) => Promise<Sent>) => Promise<Sent>
  /** For people and events. */
  readonly topic: string
  /** When it is to be handled there. */
  readonly nextTryAtMs: number
  /** Told once the write is acknowledged, before the message counts as finished. */
  readonly onAcknowledged?: (sent: Sent) => void
}

/** A message that leaves the hand by being written elsewhere first. */
export type Departure = {
  readonly message: DeliveredMessage
  readonly error: unknown
  readonly attempts: number
} & (
  | { readonly kind: 'dead-letter'; readonly reason: string }
  | { readonly kind: 'retry-topic'; readonly detour: Detour }
)

interface Waiting {
  readonly departure: Departure
  tries: number
}

/**
 * Messages of one partition on their way to a dead letter or retry topic. A message is marked only when its copy is
 * acknowledged; one that could not be written stays in hand, and the writing (not the handler) is tried again under
 * the same back-off.
 */
export class Departures {
  readonly #state: PartitionState
  readonly #env: OwnerEnvironment
  readonly #storm: StormWatch | undefined
  readonly #waiting = new Map<number, Waiting>()

  constructor(state: PartitionState, env: OwnerEnvironment) {
    this.#state = state
    this.#env = env
    const rules = state.plan.deadLetter?.storm
    this.#storm = rules && new StormWatch(rules)
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  has(offset: number): boolean {
    return this.#waiting.size > 0 && this.#waiting.has(offset)
  }

  add(departure: Departure): void {
    this.#waiting.set(departure.message.offset, { departure, tries: 0 })
  }

  clear(): void {
    this.#waiting.clear()
  }

  hasAny(messages: readonly DeliveredMessage[]): boolean {
    return this.#waiting.size > 0 && messages.some(({ offset }) => this.#waiting.has(offset))
  }

  /** Those of these messages that wait. @returns the wait before the next try; undefined when all are written */
  async sendAll(messages: readonly DeliveredMessage[]): Promise<number | undefined> {
    const waiting = messages.flatMap(({ offset }) => this.#waiting.get(offset) ?? [])
    const waits = await Promise.all(waiting.map((entry) => this.#sendWaiting(entry)))
    const failed = waits.filter((wait) => wait !== undefined)
    return failed.length === 0 ? undefined : Math.max(...failed)
  }

  async #sendWaiting(entry: Waiting): Promise<number | undefined> {
    const { message, kind } = entry.departure
    const { offset } = message
    try {
      await this.send(entry.departure)
      this.#waiting.delete(offset)
      return undefined
    } catch (error) {
      entry.tries++
      const nextInMs = backoffMs(this.#state.plan.retry.backoff, entry.tries, this.#env.random)
      const event = kind === 'dead-letter' ? events.deadletterFailed : events.retryTopicFailed
      event.publish({ ...this.#state.place, offset, error, nextInMs })
      events.error.publish({ type: kind === 'dead-letter' ? 'deadletter' : 'retry-topic', error })
      return nextInMs
    }
  }

  /** Resolves once the copy is acknowledged and its message finished. */
  async send(departure: Departure): Promise<void> {
    if (departure.kind === 'dead-letter') await this.#sendLetter(departure)
    else await this.#sendDetour(departure)
  }

  async #sendLetter(departure: Departure & { readonly kind: 'dead-letter' }): Promise<void> {
    const { message, error, reason, attempts } = departure
    const state = this.#state
    const { plan, place } = state
    if (plan.deadLetter === undefined) return
    const failedAtMs = state.now()
    const letter = plan.deadLetter.build(message.source, message, {
      group: plan.group,
      consumer: plan.name,
      attempts,
      reason,
      error,
      firstFailedAtMs: state.attempts.firstFailedAtMs(message.offset, failedAtMs),
      failedAtMs,
      worker: this.#env.workerName,
    })
    const to = await this.#env.sendLetter(letter)
    if (!state.isOwned) return
    const { offset } = message
    events.deadletterSent.publish({ ...place, offset, attempts, reason, error, to })
    state.settle(message)
    const rules = plan.deadLetter.storm
    if (rules === undefined || this.#storm?.isStorm(state.now()) !== true) return
    const { limit, pauseMs } = rules
    events.deadletterStorm.publish({ ...place, letters: limit + 1, pauseMs })
    state.holds.pause('storm', pauseMs)
  }

  async #sendDetour(departure: Departure & { readonly kind: 'retry-topic' }): Promise<void> {
    const { message, error, attempts, detour } = departure
    const { sendLetter } = this.#env
    const to = await (detour.write?.(sendLetter) ?? sendLetter(detour.encoded))
    const state = this.#state
    if (!state.isOwned) return
    detour.onAcknowledged?.(to)
    const { offset } = message
    const { nextTryAtMs } = detour
    events.retryTopicSent.publish({ ...state.place, offset, attempts, error, to, nextTryAtMs })
    state.settle(message)
  }
}
