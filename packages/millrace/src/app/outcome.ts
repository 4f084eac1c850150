import type { Duration } from '../kit/index.ts'
import type { Message } from './message/message.ts'

const brand = Symbol.for('millrace.outcome')

/** What a handler may return besides nothing. Values, not exceptions: a handler says them where it knows them. */
export type Outcome =
  | { readonly kind: 'retry'; readonly after: Duration | undefined; readonly [brand]: true }
  | { readonly kind: 'skip'; readonly reason: string; readonly [brand]: true }
  | { readonly kind: 'deadLetter'; readonly reason: string; readonly [brand]: true }
  | { readonly kind: 'stop'; readonly reason: string; readonly [brand]: true }
  | { readonly kind: 'failed'; readonly failures: readonly Failure[]; readonly [brand]: true }

export interface Failure {
  readonly message: Pick<Message, 'offset'>
  readonly error: unknown
}

/** The same message again, after the consumer's back-off or after `after`. Counts as a failed attempt. */
export function retry(options: { readonly after?: Duration } = {}): Outcome {
  return { kind: 'retry', after: options.after, [brand]: true }
}

/** Finished without having been handled; the reason is published. */
export function skip(reason: string): Outcome {
  return { kind: 'skip', reason, [brand]: true }
}

/** To the dead letter topic now; the consumer must declare one. */
export function deadLetter(reason: string): Outcome {
  return { kind: 'deadLetter', reason, [brand]: true }
}

/** Stops the whole worker with exit code 1; the message stays unfinished and comes again after the next start. */
export function stop(reason: string): Outcome {
  return { kind: 'stop', reason, [brand]: true }
}

/** From a batch: these failed, the others are finished. */
export function failed(failures: readonly Failure[]): Outcome {
  return { kind: 'failed', failures, [brand]: true }
}

/** Handlers may return anything; only what the functions above made is an outcome. */
export function outcomeOf(returned: unknown): Outcome | undefined {
  const isOutcome = typeof returned === 'object' && returned !== null && brand in returned
  return isOutcome ? (returned as Outcome) : undefined
}
