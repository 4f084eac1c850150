import { failure, MillraceError } from '../../errors/index.ts'
import { backoffMs, sleep } from '../../kit/index.ts'
import type { ClientCore } from '../client-core.ts'
import { isRetriable } from '../kafka-failure.ts'
import { requestBackoff } from '../retrying.ts'

/** Bounds of one admin call. */
export interface AdminOptions {
  /** Bound of the whole call with its retries; default: the client's apiTimeoutMs. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** What one round brought for one item: its result, or an error that is final or worth another round. */
export type Answer<R> =
  | { readonly result: R }
  | { readonly error: MillraceError; readonly isPassing?: boolean }

/** The end of an item. */
export type Outcome<R> =
  | { readonly result: R; readonly error?: undefined }
  | { readonly result?: undefined; readonly error: MillraceError }

/**
 * Bound of one look-up (leader, coordinator) within a call. Shorter than the call, so that the call's own end can say
 * what kept the look-up from succeeding.
 */
export function lookUpMs({ apiTimeoutMs }: Pick<ClientCore, 'apiTimeoutMs'>): number {
  return Math.min(5000, apiTimeoutMs / 3)
}

/** Asks once about the items still open; one answer for each, in their order. */
export type Ask<I, R> = (open: readonly I[], signal: AbortSignal) => Promise<readonly Answer<R>[]>

/**
 * Asks about many items until each has a final answer; only those that have none are asked about again, after a
 * back-off. What is still open when the time is over ends with MR_CLIENT_TIMEOUT, its last failure as cause: partial
 * failure is data, not an exception.
 *
 * @param what - names the call in errors: `delete topics`
 * @returns one outcome an item, in order
 * @throws the signal's reason, or what no repeat can mend for any item (a closed client, no common version)
 */
export async function askEach<I, R>(
  core: Pick<ClientCore, 'clock' | 'apiTimeoutMs'>,
  what: string,
  items: readonly I[],
  options: AdminOptions,
  ask: Ask<I, R>,
): Promise<readonly Outcome<R>[]> {
  const { clock } = core
  const timeoutMs = options.timeoutMs ?? core.apiTimeoutMs
  const deadlineMs = clock.monotonicMs() + timeoutMs
  const outcomes: (Outcome<R> | undefined)[] = items.map(() => undefined)
  const last: (MillraceError | undefined)[] = items.map(() => undefined)
  const ending = new AbortController()
  const onAbort = (): void => ending.abort(options.signal?.reason)
  options.signal?.throwIfAborted()
  options.signal?.addEventListener('abort', onAbort, { once: true })
  const timer = clock.after(
    timeoutMs,
    () => ending.abort(failure('MR_CLIENT_TIMEOUT', { what, timeoutMs, reason: 'no answer' })),
    { unref: true },
  )
  let open = items.map((_, index) => index)
  try {
    for (let attempt = 1; open.length > 0; attempt++) {
      await round(open)
      open = open.filter((index) => outcomes[index] === undefined)
      if (open.length === 0) break
      const waitMs = backoffMs(requestBackoff, attempt)
      if (clock.monotonicMs() + waitMs >= deadlineMs) break
      await sleep(clock, waitMs, ending.signal)
    }
  } finally {
    timer.cancel()
    options.signal?.removeEventListener('abort', onAbort)
  }
  return outcomes.map((outcome, index) => outcome ?? { error: timedOut(last[index]) })

  async function round(asked: readonly number[]): Promise<void> {
    try {
      const answers = await ask(
        asked.map((index) => items[index]!),
        ending.signal,
      )
      for (const [at, index] of asked.entries()) {
        const answer = answers[at]!
        if ('result' in answer) outcomes[index] = answer
        else if (answer.isPassing === true) last[index] = answer.error
        else outcomes[index] = { error: answer.error }
      }
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!isRetriable(error)) throw error
      for (const index of asked) last[index] = error
    }
  }

  function timedOut(cause: MillraceError | undefined): MillraceError {
    const reason = cause?.message ?? 'no answer'
    return failure('MR_CLIENT_TIMEOUT', { what, timeoutMs, reason }, { cause })
  }
}

/** Sends one part of the items to each node and puts the answers back in order. A part that fails retriably fails alone. */
export async function askByNode<I, R>(
  open: readonly I[],
  nodes: readonly (number | Answer<R>)[],
  ask: (node: number, part: readonly I[]) => Promise<readonly Answer<R>[]>,
  onLost: (part: readonly I[]) => void,
): Promise<readonly Answer<R>[]> {
  const answers: (Answer<R> | undefined)[] = nodes.map((node) =>
    typeof node === 'number' ? undefined : node,
  )
  const indexes = open.map((_, index) => index).filter((index) => answers[index] === undefined)
  const byNode = Map.groupBy(indexes, (index) => nodes[index] as number)
  await Promise.all(
    Array.from(byNode, async ([node, places]) => {
      const part = places.map((index) => open[index]!)
      try {
        const given = await ask(node, part)
        for (const [at, index] of places.entries()) answers[index] = given[at]!
      } catch (error) {
        if (!isRetriable(error)) throw error
        onLost(part)
        for (const index of places) answers[index] = { error, isPassing: true }
      }
    }),
  )
  return answers as readonly Answer<R>[]
}

/** Ends a wait on shared code that may throw: retriable failures are passing answers, others of ours final ones. */
export function answerOf(error: unknown): { error: MillraceError; isPassing: boolean } {
  if (!(error instanceof MillraceError)) throw error
  return { error, isPassing: error.retriable }
}
