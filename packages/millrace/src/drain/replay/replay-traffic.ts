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
import { defineConsumer, type ConsumerDefinition, type ConsumerSettings } from '../../app/index.ts'
import { parseDuration, Slots, systemClock, type Clock, type Duration } from '../../kit/index.ts'
import { drainTopic, type DrainTopic } from '../router-topic.ts'
import { Breaker } from './breaker.ts'
import type { ChoiceRules } from './choice.ts'
import { Replay, type ReplayResults } from './replay.ts'
import { ReplaySchedule } from './schedule.ts'
import { httpTarget, type ReplayTarget } from './target.ts'

export interface ReplayOptions {
  /**
   * URL of the site that gets the requests; a path in it goes in front. A function is asked once, when the first
   * lines are there, for sites that start after the consumer.
   */
  readonly to: string | (() => string | Promise<string>)
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
  const { to } = options
  const targetAt = (url: string): ReplayTarget =>
    httpTarget(url, {
      concurrency,
      timeoutMs: milliseconds(options.timeout, 10_000),
      headers: options.headers ?? {},
      clock,
    })
  const known = options.target ?? (typeof to === 'string' ? targetAt(to) : undefined)
  let opened: Promise<ReplayTarget> | undefined
  const openTarget = async (): Promise<ReplayTarget> => {
    try {
      return targetAt(typeof to === 'string' ? to : await to())
    } catch (error) {
      // The batch comes again, and may find a site that has started by then.
      opened = undefined
      throw error
    }
  }
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
    target: () => (opened ??= known ? Promise.resolve(known) : openTarget()),
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
      originalHost: options.originalHost ?? 'refuse',
    },
  })
  const definition = defineConsumer<DrainTopic>({
    topic: options.topic ?? drainTopic('router'),
    group,
    name: options.name ?? group,
    start: options.start ?? 'latest',
    maxMessages: options.maxMessages ?? 100,
    // Often, since what is not committed is sent again after a crash; blocks commit by themselves.
    ...(delivery === 'at-least-once'
      ? { offsets: 'automatic', commit: { interval: '500ms' } }
      : { offsets: 'manual' }),
    // Sending can take as long as the recording did.
    slowAfter: false,
    backoff: { first: '500ms', max: '5s' },
    nonRetryable: ['MR_REPLAY_ORIGINAL_HOST'],
    batch: (messages, context) => replay.run(messages, context),
  })
  return { ...definition, results }
}

function milliseconds(value: Duration | undefined, fallback: number): number {
  return value === undefined ? fallback : (parseDuration(value) ?? fallback)
}
