/**
 * Replays logged requests on another site, live.
 *
 * - Only GET and HEAD unless more are named; redirects are not followed; nothing is tried twice by itself.
 * - In the recorded rhythm times `speed`, with bounded concurrency. A slow target shows as lateness.
 * - Never in a loop: lines that a replay caused are skipped, and a target that the lines came from is refused.
 * - `at-most-once` (default) commits before it sends. `at-least-once` finishes a line only when an answer came; it
 *   sends under the same request id again, so that the target can tell.
 *
 * Not done: ranges of time and offsets, merging partitions by time, sampling, comparison of two targets.
 */
import {
  defineConsumer,
  failed,
  type ConsumerDefinition,
  type ConsumerSettings,
  type Context,
  type Message,
  type Messages,
  type Outcome,
} from '../../app/index.ts'
import { failure } from '../../errors/index.ts'
import { parseDuration, sleep, systemClock, type Clock, type Duration } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import { drainTopic, type DrainTopic } from '../router-topic.ts'
import { fieldsOf } from '../routes/route-metrics.ts'
import { Breaker } from './breaker.ts'
import { choose, type ChoiceRules, type ReplayRequest, type SkipReason } from './choice.ts'
import { ReplaySchedule } from './schedule.ts'
import { Slots } from './slots.ts'
import { httpTarget, type ReplayTarget } from './target.ts'

export interface ReplayOptions {
  /** URL of the site that gets the requests; a path in it goes in front. */
  readonly to: string
  /** Default `drainTopic('router')`. */
  readonly topic?: DrainTopic
  /** Default `replay`. */
  readonly group?: string
  readonly name?: string
  /** Default `'latest'`. */
  readonly start?: ConsumerSettings['start']
  /** 1 = as recorded, the default; Infinity = without gaps. */
  readonly speed?: number
  /** Longest pause that is kept. Default `'10s'`. */
  readonly maxGap?: Duration
  /** Requests in flight at once. Default 16. */
  readonly concurrency?: number
  /** Default `'10s'` for a whole answer. */
  readonly timeout?: Duration
  /** Default GET and HEAD. */
  readonly methods?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** Lines logged for the target's own host: `refuse` (default) blocks the consumer, `skip` leaves them out, `force` sends. */
  readonly originalHost?: ChoiceRules['originalHost']
  readonly delivery?: 'at-most-once' | 'at-least-once'
  /** How long the consumer waits once half of the last 50 requests got no answer. Default `'5s'`. */
  readonly breakerPause?: Duration
  /** Default 100. */
  readonly maxMessages?: number
  readonly clock?: Clock
  /** For tests: what sends. Default: HTTP to `to`. */
  readonly target?: ReplayTarget
}

/** What a replay has done since it started. */
export interface ReplayResults {
  sent: number
  /** No whole answer came. */
  unanswered: number
  /** Answers with the logged status, and with another. */
  matched: number
  differing: number
  readonly statuses: Record<string, number>
  readonly skipped: Partial<Record<SkipReason, number>>
  /** Largest delay behind the schedule, in milliseconds. */
  latestMs: number
}

export interface ReplayDefinition extends ConsumerDefinition {
  readonly results: Readonly<ReplayResults>
}

/**
 * A consumer that replays router lines on another site.
 *
 * @throws MR_REPLAY_TARGET
 * @example
 * defineApp({ consumers: [replayTraffic({ to: 'http://staging.example.com', speed: 2 })] })
 */
export function replayTraffic(options: ReplayOptions): ReplayDefinition {
  const clock = options.clock ?? systemClock
  const concurrency = options.concurrency ?? 16
  const target =
    options.target ??
    httpTarget(options.to, {
      concurrency,
      timeoutMs: milliseconds(options.timeout, 10_000),
      headers: options.headers ?? {},
      clock,
    })
  const group = options.group ?? 'replay'
  const delivery = options.delivery ?? 'at-most-once'
  const results: ReplayResults = {
    sent: 0,
    unanswered: 0,
    matched: 0,
    differing: 0,
    statuses: {},
    skipped: {},
    latestMs: 0,
  }
  const replay = new Replay({
    target,
    results,
    clock,
    isAtLeastOnce: delivery === 'at-least-once',
    slots: new Slots(concurrency),
    schedule: new ReplaySchedule({
      speed: options.speed ?? 1,
      maxGapMs: milliseconds(options.maxGap, 10_000),
      clock,
    }),
    breaker: new Breaker({
      window: 50,
      pauseMs: milliseconds(options.breakerPause, 5_000),
      clock,
    }),
    rules: {
      methods: new Set(options.methods ?? ['GET', 'HEAD']),
      targetHost: target.host,
      originalHost: options.originalHost ?? 'refuse',
    },
  })
  const definition = defineConsumer<DrainTopic>({
    topic: options.topic ?? drainTopic('router'),
    group,
    name: options.name ?? group,
    start: options.start ?? 'latest',
    maxMessages: options.maxMessages ?? 100,
    offsets: delivery === 'at-least-once' ? 'automatic' : 'manual',
    // Sending can take as long as the recording did.
    slowAfter: false,
    backoff: { first: '500ms', max: '5s' },
    nonRetryable: ['MR_REPLAY_ORIGINAL_HOST'],
    batch: (messages, context) => replay.run(messages, context),
  })
  return { ...definition, results }
}

interface ReplayParts {
  readonly target: ReplayTarget
  readonly results: ReplayResults
  readonly clock: Clock
  readonly isAtLeastOnce: boolean
  readonly slots: Slots
  readonly schedule: ReplaySchedule
  readonly breaker: Breaker
  readonly rules: ChoiceRules
}

/** How far ahead of its sending a position may be committed, in schedule time; never more requests than slots. */
const blockMs = 1_000

interface Planned {
  readonly message: Message<DrainTopic>
  readonly request: ReplayRequest
}

/** One for all partitions of a process: they share rhythm, slots and breaker. */
class Replay {
  readonly #parts: ReplayParts
  /** Set once a line came from the target: from then on nothing is sent, whatever the other lines say. */
  #refused: { readonly host: string; readonly at: string } | undefined

  constructor(parts: ReplayParts) {
    this.#parts = parts
  }

  async run(messages: Messages<DrainTopic>, context: Context): Promise<Outcome | undefined> {
    const { schedule, breaker, slots, clock, isAtLeastOnce } = this.#parts
    const planned = this.#plan(messages)
    const sending: Promise<void>[] = []
    const undelivered: Planned[] = []
    let last: Message<DrainTopic> | undefined
    let committedBefore = 0

    for (const [index, one] of planned.entries()) {
      const rest = (): readonly Planned[] => planned.slice(index)
      const dueMs = schedule.dueMs(one.message.timestamp)
      if (context.stopping) return this.#leave(rest(), last, sending, undelivered, context, 0)
      await this.#until(dueMs, context.signal)
      await slots.take(context.signal)
      const waitMs = breaker.waitMs()
      if (waitMs > 0) {
        slots.give()
        return this.#leave(rest(), last, sending, undelivered, context, waitMs)
      }
      if (!isAtLeastOnce && index >= committedBefore) {
        committedBefore = blockEnd(planned, index, slots.count, blockMs * schedule.speed)
        const block = planned[committedBefore - 1]?.message
        if (!context.mark(block) || !(await context.commit())) {
          slots.give()
          await Promise.all(sending)
          return undefined
        }
      }
      last = one.message
      const lateMs = Math.max(0, clock.monotonicMs() - dueMs)
      sending.push(this.#send(one, lateMs, undelivered, context))
    }
    await Promise.all(sending)
    if (!isAtLeastOnce) {
      context.mark(messages.last)
      return undefined
    }
    return undelivered.length === 0 ? undefined : this.#undelivered(undelivered)
  }

  /** Decides all lines of the batch first: a refused host sends nothing at all. */
  #plan(messages: Messages<DrainTopic>): readonly Planned[] {
    const { rules, results } = this.#parts
    const planned: Planned[] = []
    for (const message of messages) {
      const place = `${message.topic}-${message.partition}-${message.offset}`
      const choice = choose(fieldsOf(message), rules, place)
      switch (choice.kind) {
        case 'send':
          planned.push({ message, request: choice.request })
          break
        case 'skip':
          results.skipped[choice.reason] = (results.skipped[choice.reason] ?? 0) + 1
          events.replaySkipped.publish({ reason: choice.reason })
          break
        case 'refuse':
          this.#refused ??= { host: choice.host, at: place }
      }
    }
    if (this.#refused) throw failure('MR_REPLAY_ORIGINAL_HOST', this.#refused)
    return planned
  }

  /** Finishes what is in flight and leaves the rest for later: a stop, or a target that does not answer. */
  async #leave(
    rest: readonly Planned[],
    last: Message<DrainTopic> | undefined,
    sending: readonly Promise<void>[],
    undelivered: readonly Planned[],
    context: Context,
    waitMs: number,
  ): Promise<Outcome | undefined> {
    await Promise.all(sending)
    if (waitMs > 0) events.replayPaused.publish({ target: this.#parts.target.name, forMs: waitMs })
    if (this.#parts.isAtLeastOnce) {
      const error = failure('MR_REPLAY_UNDELIVERED', {
        target: this.#parts.target.name,
        count: rest.length + undelivered.length,
      })
      return failed([...undelivered, ...rest].map(({ message }) => ({ message, error })))
    }
    if (last) context.mark(last)
    const next = rest[0]
    if (waitMs > 0 && next) {
      // Not `retry`: that would hand over the whole batch again, what was sent included.
      context.seek(next.message.offset)
      context.pause({ for: waitMs })
    }
    return undefined
  }

  #undelivered(planned: readonly Planned[]): Outcome {
    const { name } = this.#parts.target
    const error = failure('MR_REPLAY_UNDELIVERED', { target: name, count: planned.length })
    return failed(planned.map(({ message }) => ({ message, error })))
  }

  async #until(dueMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    const leftMs = dueMs - clock.monotonicMs()
    if (leftMs > 0) await sleep(clock, leftMs, signal)
  }

  /** Never rejects: what went wrong is counted, and in `undelivered`. Holds a slot. */
  async #send(
    planned: Planned,
    lateMs: number,
    undelivered: Planned[],
    context: Context,
  ): Promise<void> {
    const { target, results, breaker, slots, clock, isAtLeastOnce } = this.#parts
    const startedMs = clock.monotonicMs()
    results.sent++
    results.latestMs = Math.max(results.latestMs, lateMs)
    const { loggedStatus } = planned.request
    let status: number | null = null
    let isAnswered = false
    try {
      ;({ status } = await target.send(planned.request))
      isAnswered = true
      results.statuses[status] = (results.statuses[status] ?? 0) + 1
      if (status === loggedStatus) results.matched++
      else results.differing++
      // One by one, so that a stop or a crash in the middle of a batch repeats as little as possible.
      if (isAtLeastOnce) context.mark(planned.message)
    } catch {
      // The event below and the count are the report; in `at-least-once` the line comes again.
      results.unanswered++
      undelivered.push(planned)
    }
    slots.give()
    if (breaker.record(isAnswered)) {
      events.replayPaused.publish({ target: target.name, forMs: breaker.pauseMs })
    }
    events.replaySent.publish({ status, loggedStatus, ms: clock.monotonicMs() - startedMs, lateMs })
  }
}

/** Index after the block at `from`: at most `most` requests, recorded within `spanMs`. What a crash may cost. */
function blockEnd(planned: readonly Planned[], from: number, most: number, spanMs: number): number {
  const firstMs = planned[from]?.message.timestamp ?? 0
  let end = from + 1
  while (end < planned.length && end - from < most) {
    if ((planned[end]?.message.timestamp ?? 0) > firstMs + spanMs) break
    end++
  }
  return end
}

function milliseconds(value: Duration | undefined, fallback: number): number {
  return value === undefined ? fallback : (parseDuration(value) ?? fallback)
}
