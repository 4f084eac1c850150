import { isFailure, MillraceError } from '../../errors/index.ts'
import { backoffMs, type BackoffRules } from '../../kit/index.ts'
import type { ErrorMatcher } from './options.ts'

export interface RetryRules {
  /** Attempts after the first; Infinity is for ever. */
  readonly retries: number
  readonly backoff: BackoffRules
  readonly exhausted: 'block' | 'skip' | 'stop'
  readonly hasDeadLetter: boolean
  readonly nonRetryable: readonly ErrorMatcher[]
  readonly critical: readonly ErrorMatcher[]
  /** Which errors the dead letter topic takes; others are retried for ever. */
  readonly deadLetterTakes: ((error: unknown) => boolean) | undefined
}

/** How an attempt ended, when it did not succeed. */
export interface FailedAttempt {
  readonly kind: 'thrown' | 'retry' | 'deadLetter' | 'stop'
  readonly error: unknown
  /** Failed attempts at this offset, this one included. */
  readonly attempts: number
  /** A wait that the handler asked for. */
  readonly afterMs?: number | undefined
  /** No further attempt whatever `retries` says: the retries were used up by the batch it was part of. */
  readonly isLast?: boolean
}

export type DeadLetterReason = 'error' | 'undecodable' | 'expired' | 'handler'

export type Verdict =
  | {
      readonly kind: 'retry'
      readonly delayMs: number
      /** Only since the dead letter topic does not take such an error: another place may try it instead. */
      readonly isExhausted?: boolean
    }
  | {
      readonly kind: 'deadLetter'
      readonly reason: DeadLetterReason
      readonly isExhausted?: boolean
    }
  /** `isExhausted`: for want of retries, so that another place may still try it. */
  | { readonly kind: 'block' | 'skip' | 'stop'; readonly isExhausted?: boolean }

/** What happens to a message after a failed attempt. Pure: the same failure gets the same verdict. */
export function judge(rules: RetryRules, failed: FailedAttempt, random = Math.random): Verdict {
  const { error } = failed
  if (failed.kind === 'stop') return { kind: 'stop' }
  if (failed.kind === 'deadLetter')
    return rules.hasDeadLetter ? { kind: 'deadLetter', reason: 'handler' } : { kind: 'block' }
  if (isCritical(rules, error)) return { kind: 'stop' }

  const mayBeDeadLetter = rules.hasDeadLetter && (rules.deadLetterTakes?.(error) ?? true)
  if (failed.kind === 'thrown' && isNonRetryable(rules, error)) {
    const reason = namesMessage(error) ? 'undecodable' : 'error'
    return mayBeDeadLetter ? { kind: 'deadLetter', reason } : { kind: 'block' }
  }
  const mayTryAgain = failed.isLast !== true && failed.attempts <= rules.retries
  if (mayTryAgain || (rules.hasDeadLetter && !mayBeDeadLetter)) {
    const delayMs = failed.afterMs ?? backoffMs(rules.backoff, failed.attempts, random)
    return mayTryAgain ? { kind: 'retry', delayMs } : { kind: 'retry', delayMs, isExhausted: true }
  }
  return mayBeDeadLetter
    ? { kind: 'deadLetter', reason: 'error', isExhausted: true }
    : { kind: rules.exhausted, isExhausted: true }
}

/** Will fail again, however often: the message itself is wrong. */
export function isNonRetryable(rules: RetryRules, error: unknown): boolean {
  return isUndecodable(error) || matches(rules.nonRetryable, error)
}

export function isUndecodable(error: unknown): boolean {
  return isFailure(error) && (error.name === 'SchemaError' || error.name === 'CodecError')
}

/** About the message at hand, not about one that the handler wanted to send. */
function namesMessage(error: unknown): boolean {
  return isUndecodable(error) && isFailure(error) && error.context['offset'] !== undefined
}

function isCritical(rules: RetryRules, error: unknown): boolean {
  return (isFailure(error) && error.name === 'StorageError') || matches(rules.critical, error)
}

function matches(matchers: readonly ErrorMatcher[], error: unknown): boolean {
  return matchers.some((matcher) => {
    if (typeof matcher === 'string')
      return (
        typeof error === 'object' && error !== null && 'code' in error && error.code === matcher
      )
    if (isErrorClass(matcher)) return error instanceof matcher
    return matcher(error)
  })
}

type ErrorClass = abstract new (...parameters: never[]) => Error

function isErrorClass(matcher: Exclude<ErrorMatcher, string>): matcher is ErrorClass {
  const prototype = matcher.prototype as unknown
  return (
    (matcher as unknown) === Error ||
    (matcher as unknown) === MillraceError ||
    prototype instanceof Error
  )
}
