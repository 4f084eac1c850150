import { failure } from '../errors/index.ts'
import { backoffMs, sleep, type BackoffRules, type Clock } from '../kit/index.ts'
import { isRetriable } from './kafka-failure.ts'

export interface RetryOptions {
  /** What is tried, for the error: `metadata of orders`. */
  readonly what: string
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** Between two requests for the same thing (client-wide rule, as the Java client's retry.backoff). */
export const requestBackoff: BackoffRules = { firstMs: 100, maxMs: 1000, jitter: 0.2 }

/**
 * Repeats retriable failures with back-off until the time is over. Bounded by time, never by a count alone.
 * The work gets a signal that aborts with the caller's or at the deadline.
 * @throws MR_CLIENT_TIMEOUT with the last failure as cause; the failure itself when it is not retriable
 */
export async function retrying<T>(
  { what, clock, timeoutMs, signal }: RetryOptions,
  work: (signal: AbortSignal, attempt: number) => Promise<T>,
): Promise<T> {
  const deadlineMs = clock.monotonicMs() + timeoutMs
  const ending = new AbortController()
  let last: unknown
  const timeout = (): Error => {
    const reason = last instanceof Error ? last.message : 'no answer'
    return failure('MR_CLIENT_TIMEOUT', { what, timeoutMs, reason }, { cause: last })
  }
  const onAbort = (): void => {
    ending.abort(signal?.reason)
  }
  signal?.throwIfAborted()
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = clock.after(
    timeoutMs,
    () => {
      ending.abort(timeout())
    },
    { unref: true },
  )
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work(ending.signal, attempt)
      } catch (error) {
        ending.signal.throwIfAborted()
        if (!isRetriable(error)) throw error
        last = error
        const waitMs = backoffMs(requestBackoff, attempt)
        if (clock.monotonicMs() + waitMs >= deadlineMs) throw timeout()
        await sleep(clock, waitMs, ending.signal)
      }
    }
  } finally {
    timer.cancel()
    signal?.removeEventListener('abort', onAbort)
  }
}
