import type { Message } from '../message/message.ts'
import { parseDuration, type BackoffRules, type Duration } from '../../kit/index.ts'

export interface Backoff {
  readonly first?: Duration
  readonly factor?: number
  readonly max?: Duration
  /** Share of the wait that is random, both ways. */
  readonly jitter?: number
}

/** An error class, a code (`error.code`), or a function that knows. */
export type ErrorMatcher =
  | string
  | (abstract new (...parameters: never[]) => Error)
  | ((error: unknown) => boolean)

/** What an error is about. */
export interface ErrorContext {
  /** For a batch that did not name any: its first unfinished one. */
  readonly message: Message
  /** Failed attempts at this message, this one included. */
  readonly attempt: number
  /** The errors of this message, oldest first, this one last; at most 100. Lost with a restart. */
  readonly history: readonly unknown[]
}

/** May be asynchronous: the message waits for it, and so does its lane. */
export type OnError = (error: unknown, about: ErrorContext) => unknown

export interface RetryOptions {
  /** Attempts after the first one. Default: Infinity without a dead letter topic, 3 with one. */
  readonly retries?: number
  /** Default 1, 2, 4, 8, 16, 30, 30... seconds, 10 % jitter. A plain duration is a fixed wait. */
  readonly backoff?: Duration | Backoff
  /** What follows the last retry when no dead letter topic takes the message. */
  readonly exhausted?: 'block' | 'skip' | 'stop'
  /** Never tried again: dead letter at once, or the partition is blocked. Schema and codec errors always are. */
  readonly nonRetryable?: readonly ErrorMatcher[]
  /**
   * Decides about each error of a handler, before the lists: an outcome (`retry`, `skip`, `deadLetter`, `stop`) is
   * followed, anything else leaves the error to `nonRetryable`, `critical` and `retries`. Attempts count all the same.
   */
  readonly onError?: OnError
  /** Stop the worker: the world outside the message is broken. */
  readonly critical?: readonly ErrorMatcher[]
}

export const defaultBackoff = { first: '1s', factor: 2, max: '30s', jitter: 0.1 } as const

/** Rules of the wait, or the fault in what was written. */
export function backoffRules(written: Duration | Backoff | undefined): BackoffRules | string {
  if (written === undefined) return backoffRules(defaultBackoff)
  if (typeof written !== 'object') {
    const fixedMs = parseDuration(written)
    if (fixedMs === undefined) return `${written} is not a duration; write 500ms, 30s, 5m`
    return { firstMs: fixedMs, maxMs: fixedMs, factor: 1, jitter: 0 }
  }
  const merged = { ...defaultBackoff, ...written }
  const firstMs = parseDuration(merged.first)
  const maxMs = parseDuration(merged.max)
  if (firstMs === undefined) return `first: ${merged.first} is not a duration`
  if (maxMs === undefined) return `max: ${merged.max} is not a duration`
  if (firstMs > maxMs && written.max !== undefined)
    return `first (${merged.first}) is longer than max (${merged.max})`
  if (merged.factor < 1) return `factor: ${merged.factor} would shorten the wait; it is at least 1`
  if (merged.jitter < 0 || merged.jitter > 1)
    return `jitter: ${merged.jitter} is not a share of 0 to 1`
  return { firstMs, maxMs: Math.max(firstMs, maxMs), factor: merged.factor, jitter: merged.jitter }
}
