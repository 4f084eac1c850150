import { failure, isFailure } from '../../errors/index.ts'
import { parseDuration } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { DeliveredMessage } from '../message/message.ts'
import type { Failure, Outcome } from '../outcome.ts'
import {
  isNonRetryable,
  isUndecodable,
  judge,
  type FailedAttempt,
  type Verdict,
} from '../retry/policy.ts'
import { reasonOf } from './describe.ts'
import type { OwnerEnvironment } from './environment.ts'
import type { JobContext } from './job-context.ts'
import type { Departures } from './departures.ts'
import type { PartitionState } from './partition-state.ts'

/** How a handler call ended. */
export type JobResult =
  | { readonly kind: 'returned'; readonly outcome: Outcome | undefined }
  | { readonly kind: 'thrown'; readonly error: unknown }

/**
 * What follows a handler call: which messages are finished, which come again and when, which are given up.
 * Changes the partition's state; sends nothing (`Departures` does).
 */
export class Settlement {
  readonly #state: PartitionState
  readonly #departures: Departures
  readonly #env: OwnerEnvironment
  readonly #onCritical: (error: unknown) => void

  constructor(
    state: PartitionState,
    departures: Departures,
    env: OwnerEnvironment,
    onCritical: (error: unknown) => void,
  ) {
    this.#state = state
    this.#departures = departures
    this.#env = env
    this.#onCritical = onCritical
  }

  settle(job: JobContext, result: JobResult): void {
    if (job.abortedBy === 'timeout') {
      const cause = result.kind === 'thrown' ? result.error : undefined
      this.#fail(job, 'thrown', this.#timeoutError(job, cause))
    } else if (result.kind === 'thrown') {
      this.#fail(job, 'thrown', result.error)
    } else if (result.outcome === undefined) {
      for (const message of job.messages) this.#state.finish(message)
    } else {
      this.#follow(job, result.outcome)
    }
  }

  #follow(job: JobContext, outcome: Outcome): void {
    const { plan } = this.#state
    const at = this.#at(job.messages[0] as DeliveredMessage)
    switch (outcome.kind) {
      case 'skip':
        for (const message of job.messages) this.#state.skip(message, outcome.reason)
        return
      case 'retry': {
        const afterMs = outcome.after === undefined ? undefined : parseDuration(outcome.after)
        const error = failure('MR_APP_RETRY_ASKED', { ...at, consumer: plan.name })
        this.#fail(job, 'retry', error, { afterMs })
        return
      }
      case 'deadLetter': {
        const error =
          plan.deadLetter === undefined
            ? failure('MR_APP_DEAD_LETTER_UNDECLARED', { ...at, consumer: plan.name })
            : failure('MR_APP_DEAD_LETTER_ASKED', { ...at, reason: outcome.reason })
        const failures = job.messages.map((message) => ({ message, error }))
        this.#fail(job, 'deadLetter', error, { failures })
        return
      }
      case 'stop': {
        const error = failure('MR_APP_STOP_ASKED', { ...at, reason: outcome.reason })
        this.#fail(job, 'stop', error)
        return
      }
      case 'failed':
        this.#failNamed(job, outcome.failures)
        return
    }
  }

  #failNamed(job: JobContext, failures: readonly Failure[]): void {
    const offsets = new Set(job.messages.map(({ offset }) => offset))
    if (failures.some(({ message }) => !offsets.has(message.offset))) {
      const error = failure('MR_APP_FAILED_FOREIGN', { consumer: this.#state.plan.name })
      this.#fail(job, 'thrown', error)
      return
    }
    const failing = new Set(failures.map(({ message }) => message.offset))
    for (const message of job.messages)
      if (!failing.has(message.offset)) this.#state.finish(message)
    const ordered = failures.toSorted((left, right) => left.message.offset - right.message.offset)
    const first = ordered[0]
    if (first !== undefined) this.#fail(job, 'thrown', first.error, { failures: ordered })
  }

  /**
   * A failed attempt. Without names it counts against the first unfinished message; a decoding error names its
   * message itself.
   */
  #fail(
    job: JobContext,
    kind: FailedAttempt['kind'],
    error: unknown,
    more: { readonly failures?: readonly Failure[]; readonly afterMs?: number | undefined } = {},
  ): void {
    const { plan, tracker, attempts } = this.#state
    const open = job.messages.filter(({ offset }) => !tracker.isFinished(offset))
    // Marked by the handler before it failed: finished, and out of the hand.
    for (const message of job.messages) if (!open.includes(message)) this.#state.finish(message)
    const first = open[0]
    if (first === undefined) {
      // Nothing is left to repeat, but the error must be seen, and a worker that has to stop stops.
      const marked = job.messages[0] as DeliveredMessage
      this.#report(job, error, marked, undefined)
      const verdict = judge(plan.retry, { kind, error, attempts: 1 }, this.#env.random)
      if (verdict.kind === 'stop') this.#apply(verdict, marked, error, 1)
      return
    }
    const named = more.failures ?? this.#namedBy(error, open)
    const now = this.#state.now()
    const judged = (named ?? [{ message: first, error }]).flatMap(({ message, error: own }) => {
      const target = open.find(({ offset }) => offset === message.offset)
      if (target === undefined) return []
      const count = attempts.fail(target.offset, now)
      const isLast = this.#state.split?.isFinal === true
      const failed = { kind, error: own, attempts: count, isLast, afterMs: more.afterMs }
      const verdict = judge(plan.retry, failed, this.#env.random)
      return [{ target, error: own, count, verdict }]
    })

    const verdict = judged[0]?.verdict.kind
    const isGivenUp = verdict !== 'retry' && verdict !== 'stop'
    if (named === undefined && open.length > 1 && isGivenUp) {
      // Nobody knows which message it was: one by one, only those that still fail are given up.
      const isFinal = !isNonRetryable(plan.retry, error)
      this.#state.split = { through: (open.at(-1) as DeliveredMessage).offset, isFinal }
      this.#report(job, error, first, 0)
      return
    }
    for (const { target, error: own, count, verdict: one } of judged) {
      this.#report(job, own, target, one.kind === 'retry' ? one.delayMs : undefined)
      this.#apply(one, target, own, count)
    }
  }

  /** The pacing threw: a failed attempt of that message, without a handler call. */
  refused(message: DeliveredMessage, error: unknown): void {
    const attempts = this.#state.attempts.fail(message.offset, this.#state.now())
    const failed = { kind: 'thrown', error, attempts } as const
    const verdict = judge(this.#state.plan.retry, failed, this.#env.random)
    const nextInMs = verdict.kind === 'retry' ? verdict.delayMs : undefined
    this.#report({ messages: [message], attempt: attempts }, error, message, nextInMs)
    this.#apply(verdict, message, error, attempts)
  }

  #apply(verdict: Verdict, message: DeliveredMessage, error: unknown, attempts: number): void {
    if (verdict.kind !== 'retry' && verdict.isExhausted === true) {
      const detour = this.#state.plan.detour?.({ message, error, attempts })
      if (detour !== undefined) {
        this.#departures.add({ kind: 'retry-topic', message, error, attempts, detour })
        return
      }
    }
    switch (verdict.kind) {
      case 'retry':
        this.#state.retryIn(verdict.delayMs)
        return
      case 'deadLetter':
        this.#departures.add({
          kind: 'dead-letter',
          message,
          error,
          reason: verdict.reason,
          attempts,
        })
        return
      case 'skip':
        this.#state.skip(message, 'retries exhausted')
        return
      case 'block':
        this.#state.block(error, message.offset)
        return
      case 'stop':
        this.#state.pause('critical', undefined)
        this.#onCritical(error)
        return
    }
  }

  #namedBy(error: unknown, open: readonly DeliveredMessage[]): readonly Failure[] | undefined {
    if (open.length < 2 || !isUndecodable(error) || !isFailure(error)) return undefined
    const { offset, topic } = error.context
    if (topic !== this.#state.topic.name) return undefined
    const message = open.find((own) => own.offset === offset)
    return message && [{ message, error }]
  }

  #report(
    job: { readonly messages: readonly DeliveredMessage[]; readonly attempt: number },
    cause: unknown,
    message: DeliveredMessage,
    nextInMs: number | undefined,
  ): void {
    const { place } = this.#state
    const facts = { offset: message.offset, messages: job.messages.length, attempt: job.attempt }
    events.consumerFailed.publish({ ...place, ...facts, error: cause, nextInMs })
    // What a handler asked for by its outcome is no error; the attempt alone is told.
    if (!events.error.isHeard || isFailure(cause, 'MR_APP_RETRY_ASKED', 'MR_APP_DEAD_LETTER_ASKED'))
      return
    const { group, consumer } = place
    const { attempt } = job
    const context = { ...this.#at(message), group, consumer, attempt, reason: reasonOf(cause) }
    const error = failure('MR_APP_HANDLER_FAILED', context, { cause })
    events.error.publish({ type: 'consumer', error })
  }

  #timeoutError(job: JobContext, cause: unknown): Error {
    const at = this.#at(job.messages[0] as DeliveredMessage)
    const { title, timeoutMs = 0 } = this.#state.plan
    return failure('MR_APP_HANDLER_TIMEOUT', { ...at, consumer: title, timeoutMs }, { cause })
  }

  #at({ offset }: DeliveredMessage): { topic: string; partition: number; offset: number } {
    return { topic: this.#state.topic.name, partition: this.#state.source.partition, offset }
  }
}
