import { failure, isFailure } from '../../errors/index.ts'
import { parseDuration } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { DeliveredMessage } from '../message/message.ts'
import { outcomeOf, type Failure, type Outcome } from '../outcome.ts'
import type { OnError } from '../retry/options.ts'
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

/** Milliseconds before what is unfinished comes again; undefined: nothing waits. */
type Wait = number | undefined

interface FailedMessage {
  readonly target: DeliveredMessage
  readonly attempt: FailedAttempt
  /** `onError` has decided. */
  readonly isRuled: boolean
  readonly skipReason?: string
}

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

  /** @returns the wait before what is unfinished comes again; undefined when nothing asks for one */
  settle(job: JobContext, result: JobResult): Wait | Promise<Wait> {
    if (job.abortedBy === 'timeout') {
      const cause = result.kind === 'thrown' ? result.error : undefined
      return this.#fail(job, 'thrown', this.#timeoutError(job, cause))
    }
    if (result.kind === 'thrown') return this.#fail(job, 'thrown', result.error)
    if (result.outcome !== undefined) return this.#follow(job, result.outcome)
    for (const message of job.messages) this.#state.finish(message)
    return undefined
  }

  #follow(job: JobContext, outcome: Outcome): Wait | Promise<Wait> {
    const { plan } = this.#state
    const at = this.#at(job.messages[0] as DeliveredMessage)
    switch (outcome.kind) {
      case 'skip':
        for (const message of job.messages) this.#state.skip(message, outcome.reason)
        return undefined
      case 'retry': {
        const afterMs = outcome.after === undefined ? undefined : parseDuration(outcome.after)
        const error = failure('MR_APP_RETRY_ASKED', { ...at, consumer: plan.name })
        return this.#fail(job, 'retry', error, { afterMs })
      }
      case 'deadLetter': {
        const error =
          plan.deadLetter === undefined
            ? failure('MR_APP_DEAD_LETTER_UNDECLARED', { ...at, consumer: plan.name })
            : failure('MR_APP_DEAD_LETTER_ASKED', { ...at, reason: outcome.reason })
        const failures = job.messages.map((message) => ({ message, error }))
        return this.#fail(job, 'deadLetter', error, { failures })
      }
      case 'stop': {
        const error = failure('MR_APP_STOP_ASKED', { ...at, reason: outcome.reason })
        return this.#fail(job, 'stop', error)
      }
      case 'failed':
        return this.#failNamed(job, outcome.failures)
    }
  }

  #failNamed(job: JobContext, failures: readonly Failure[]): Wait | Promise<Wait> {
    const offsets = new Set(job.messages.map(({ offset }) => offset))
    if (failures.some(({ message }) => !offsets.has(message.offset))) {
      const error = failure('MR_APP_FAILED_FOREIGN', { consumer: this.#state.plan.name })
      return this.#fail(job, 'thrown', error)
    }
    const failing = new Set(failures.map(({ message }) => message.offset))
    for (const message of job.messages)
      if (!failing.has(message.offset)) this.#state.finish(message)
    const ordered = failures.toSorted((left, right) => left.message.offset - right.message.offset)
    const first = ordered[0]
    if (first === undefined) return undefined
    return this.#fail(job, 'thrown', first.error, { failures: ordered })
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
  ): Wait | Promise<Wait> {
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
      return verdict.kind === 'stop' ? this.#apply(verdict, marked, error, 1) : undefined
    }
    const named = more.failures ?? this.#namedBy(error, open)
    const now = this.#state.now()
    const failed = (named ?? [{ message: first, error }]).flatMap(({ message, error: own }) => {
      const target = open.find(({ offset }) => offset === message.offset)
      if (target === undefined) return []
      const count = attempts.fail(target.offset, now, own)
      const isLast = this.#state.isLastAttempt(target)
      const attempt = { kind, error: own, attempts: count, isLast, afterMs: more.afterMs }
      return [{ target, attempt, isRuled: false }]
    })
    const unnamed = named === undefined && open.length > 1 ? open : undefined
    // What the handler has decided by its outcome is not asked about.
    return plan.onError === undefined || kind !== 'thrown'
      ? this.#judgeAll(job, failed, unnamed)
      : this.#ask(plan.onError, job, failed, unnamed)
  }

  /** The consumer's own rules come before the lists. */
  async #ask(
    onError: OnError,
    job: JobContext,
    failed: readonly FailedMessage[],
    unnamed: readonly DeliveredMessage[] | undefined,
  ): Promise<Wait> {
    const ruled: FailedMessage[] = []
    for (const one of failed) {
      const { target, attempt } = one
      const history = this.#state.attempts.history(target.offset)
      let outcome: Outcome | undefined
      try {
        const about = { message: target, attempt: attempt.attempts, history }
        outcome = outcomeOf(await onError(attempt.error, about))
      } catch (error) {
        // Its own error is told; the message is judged as if there were no such function.
        events.error.publish({ type: 'on-error', error })
      }
      ruled.push({ ...one, ...this.#ruling(target, attempt, outcome) })
    }
    if (!this.#state.isOwned) return undefined
    return this.#judgeAll(job, ruled, unnamed)
  }

  /** An outcome of `onError` as what it makes of the attempt. The error stays the one that was thrown. */
  #ruling(
    target: DeliveredMessage,
    attempt: FailedAttempt,
    outcome: Outcome | undefined,
  ): Pick<FailedMessage, 'attempt' | 'isRuled' | 'skipReason'> {
    if (outcome === undefined || outcome.kind === 'failed') return { attempt, isRuled: false }
    const { kind } = outcome
    if (kind === 'skip') return { attempt, isRuled: true, skipReason: outcome.reason }
    if (kind === 'deadLetter' && this.#state.plan.deadLetter === undefined) {
      const at = { ...this.#at(target), consumer: this.#state.plan.name }
      const error = failure('MR_APP_DEAD_LETTER_UNDECLARED', at, { cause: attempt.error })
      return { attempt: { ...attempt, kind, error }, isRuled: true }
    }
    const after = kind === 'retry' ? outcome.after : undefined
    const afterMs = after === undefined ? attempt.afterMs : parseDuration(after)
    return { attempt: { ...attempt, kind, afterMs }, isRuled: true }
  }

  #judgeAll(
    job: JobContext,
    failed: readonly FailedMessage[],
    unnamed: readonly DeliveredMessage[] | undefined,
  ): Wait {
    const { retry } = this.#state.plan
    const judged = failed.map((one) => ({
      ...one,
      verdict:
        one.skipReason === undefined
          ? judge(retry, one.attempt, this.#env.random)
          : ({ kind: 'skip' } as const),
    }))
    const first = judged[0]
    if (first === undefined) return undefined
    const { kind, isExhausted = false } = first.verdict
    const mayLeave = isExhausted && this.#state.plan.detour !== undefined
    const isGivenUp = mayLeave || (kind !== 'retry' && kind !== 'stop')
    if (unnamed !== undefined && isGivenUp) {
      // Nobody knows which message it was: one by one, only those that still fail are given up.
      const isFinal = !first.isRuled && !isNonRetryable(retry, first.attempt.error)
      this.#state.runAlone(unnamed, isFinal)
      this.#report(job, first.attempt.error, first.target, 0)
      return undefined
    }
    let wait: Wait
    for (const { target, attempt, verdict, skipReason } of judged) {
      const { error, attempts } = attempt
      const nextInMs = verdict.kind === 'retry' ? verdict.delayMs : undefined
      this.#report(job, error, target, nextInMs)
      const own = this.#apply(verdict, target, error, attempts, skipReason)
      if (own !== undefined) wait = Math.max(own, wait ?? 0)
    }
    return wait
  }

  /** The pacing threw: a failed attempt of that message, without a handler call. */
  refused(message: DeliveredMessage, error: unknown): Wait {
    const attempts = this.#state.attempts.fail(message.offset, this.#state.now(), error)
    const failed = { kind: 'thrown', error, attempts } as const
    const verdict = judge(this.#state.plan.retry, failed, this.#env.random)
    const nextInMs = verdict.kind === 'retry' ? verdict.delayMs : undefined
    this.#report({ messages: [message], attempt: attempts }, error, message, nextInMs)
    return this.#apply(verdict, message, error, attempts)
  }

  #apply(
    verdict: Verdict,
    message: DeliveredMessage,
    error: unknown,
    attempts: number,
    skipReason = 'retries exhausted',
  ): Wait {
    if (verdict.isExhausted === true) {
      const nowMs = this.#state.now()
      const firstFailedAtMs = this.#state.attempts.firstFailedAtMs(message.offset, nowMs)
      const failed = { message, error, attempts, nowMs, firstFailedAtMs }
      const detour = this.#state.plan.detour?.(failed)
      if (detour !== undefined) {
        this.#departures.add({ kind: 'retry-topic', message, error, attempts, detour })
        return undefined
      }
    }
    switch (verdict.kind) {
      case 'retry':
        return verdict.delayMs
      case 'deadLetter': {
        const { reason } = verdict
        this.#departures.add({ kind: 'dead-letter', message, error, reason, attempts })
        return undefined
      }
      case 'skip':
        this.#state.skip(message, skipReason)
        return undefined
      case 'block':
        this.#state.holds.block(error, message.offset)
        return undefined
      case 'stop':
        this.#state.holds.pause('critical', undefined)
        this.#onCritical(error)
        return undefined
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
