import { backoffMs } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import { StormWatch } from '../dead-letter/policy.ts'
import type { DeliveredMessage } from '../message/message.ts'
import type { OwnerEnvironment } from './environment.ts'
import type { PartitionState } from './partition-state.ts'

export interface Letter {
  readonly message: DeliveredMessage
  readonly error: unknown
  readonly reason: string
  readonly attempts: number
}

/**
 * Dead letters of one partition on their way. A message is marked only when its letter is acknowledged; one that
 * could not be written stays in hand, and the writing (not the handler) is tried again under the same back-off.
 */
export class Letters {
  readonly #state: PartitionState
  readonly #env: OwnerEnvironment
  readonly #storm: StormWatch | undefined
  readonly #waiting = new Map<number, { readonly letter: Letter; tries: number }>()

  constructor(state: PartitionState, env: OwnerEnvironment) {
    this.#state = state
    this.#env = env
    const rules = state.plan.deadLetter?.storm
    this.#storm = rules && new StormWatch(rules)
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  add(letter: Letter): void {
    this.#waiting.set(letter.message.offset, { letter, tries: 0 })
  }

  clear(): void {
    this.#waiting.clear()
  }

  async sendAll(): Promise<void> {
    await Promise.all([...this.#waiting.values()].map((entry) => this.#sendWaiting(entry)))
  }

  async #sendWaiting(entry: { readonly letter: Letter; tries: number }): Promise<void> {
    const { offset } = entry.letter.message
    try {
      await this.send(entry.letter)
      this.#waiting.delete(offset)
    } catch (error) {
      entry.tries++
      const nextInMs = backoffMs(this.#state.plan.retry.backoff, entry.tries, this.#env.random)
      this.#state.retryIn(nextInMs)
      events.deadLetterFailed.publish({ ...this.#state.place, offset, error, nextInMs })
      events.error.publish({ type: 'deadletter', error })
    }
  }

  /** Resolves once the letter is acknowledged and its message finished. */
  async send({ message, error, reason, attempts }: Letter): Promise<void> {
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
    events.deadLetterSent.publish({ ...place, offset, attempts, reason, error, to })
    state.settle(message)
    const rules = plan.deadLetter.storm
    if (rules === undefined || this.#storm?.isStorm(state.now()) !== true) return
    const { limit, pauseMs } = rules
    events.deadLetterStorm.publish({ ...place, letters: limit + 1, pauseMs })
    state.pause('storm', pauseMs)
  }
}
