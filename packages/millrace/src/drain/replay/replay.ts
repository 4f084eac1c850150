import { failed, type Context, type Message, type Messages, type Outcome } from '../../app/index.ts'
import { failure } from '../../errors/index.ts'
import { orAbort, sleep, type Clock, type Slots } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { DrainTopic } from '../router-topic.ts'
import { fieldsOf } from '../routes/route-metrics.ts'
import type { Breaker } from './breaker.ts'
import { choose, type ChoiceRules, type ReplayRequest, type SkipReason } from './choice.ts'
import type { ReplaySchedule } from './schedule.ts'
import type { ReplayTarget } from './target.ts'

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

export interface ReplayParts {
  readonly target: () => Promise<ReplayTarget>
  readonly results: ReplayResults
  readonly clock: Clock
  readonly isAtLeastOnce: boolean
  readonly slots: Slots
  readonly schedule: ReplaySchedule
  readonly breaker: Breaker
  readonly rules: Omit<ChoiceRules, 'targetHost'>
}

interface Planned {
  readonly message: Message<DrainTopic>
  readonly request: ReplayRequest
}

/** How far ahead of its sending a position may be committed, in schedule time; never more requests than slots. */
const blockMs = 1_000

/** One for all partitions of a process: they share rhythm, slots and breaker. */
export class Replay {
  readonly #parts: ReplayParts
  /** Set once a line came from the target: from then on nothing is sent, whatever the other lines say. */
  #refused: { readonly host: string; readonly at: string } | undefined

  constructor(parts: ReplayParts) {
    this.#parts = parts
  }

  async run(messages: Messages<DrainTopic>, context: Context): Promise<Outcome | undefined> {
    const target = await orAbort(this.#parts.target(), context.signal)
    const planned = this.#plan(messages, target)
    return new ReplayBatch(this.#parts, target, planned, context).run(messages.last)
  }

  /** Decides all lines of the batch first: a refused host sends nothing at all. */
  #plan(messages: Messages<DrainTopic>, target: ReplayTarget): readonly Planned[] {
    const { results } = this.#parts
    const rules = { ...this.#parts.rules, targetHost: target.host }
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
}

class ReplayBatch {
  readonly #parts: ReplayParts
  readonly #target: ReplayTarget
  readonly #planned: readonly Planned[]
  readonly #context: Context
  readonly #sending: Promise<void>[] = []
  readonly #undelivered: Planned[] = []

  constructor(
    parts: ReplayParts,
    target: ReplayTarget,
    planned: readonly Planned[],
    context: Context,
  ) {
    this.#parts = parts
    this.#target = target
    this.#planned = planned
    this.#context = context
  }

  async run(last: Message<DrainTopic>): Promise<Outcome | undefined> {
    const { schedule, breaker, slots, clock, isAtLeastOnce } = this.#parts
    const { signal } = this.#context
    let committedBefore = 0
    for (const [index, one] of this.#planned.entries()) {
      const dueMs = schedule.dueMs(one.message.timestamp)
      if (this.#context.stopping) return this.#leave(index, 0)
      const leftMs = dueMs - clock.monotonicMs()
      if (leftMs > 0) await sleep(clock, leftMs, signal)
      if (!(await slots.take(signal))) throw signal.reason as Error
      const waitMs = breaker.waitMs()
      if (waitMs > 0) {
        slots.release()
        return this.#leave(index, waitMs)
      }
      if (!isAtLeastOnce && index >= committedBefore) {
        committedBefore = blockEnd(this.#planned, index, slots.capacity, blockMs * schedule.speed)
        if (!(await this.#commitBefore(committedBefore))) {
          slots.release()
          await Promise.all(this.#sending)
          return undefined
        }
      }
      this.#sending.push(this.#send(one, Math.max(0, clock.monotonicMs() - dueMs)))
    }
    await Promise.all(this.#sending)
    if (!isAtLeastOnce) {
      this.#context.mark(last)
      return undefined
    }
    return this.#undelivered.length === 0 ? undefined : this.#failed(this.#undelivered)
  }

  /** False when the partition is lost: whoever has it now sends these. */
  async #commitBefore(end: number): Promise<boolean> {
    const block = this.#planned[end - 1]?.message
    return this.#context.mark(block) && (await this.#context.commit())
  }

  /** Finishes what is in flight and leaves the rest for later: a stop, or a target that does not answer. */
  async #leave(from: number, waitMs: number): Promise<Outcome | undefined> {
    await Promise.all(this.#sending)
    if (waitMs > 0) events.replayPaused.publish({ target: this.#target.name, forMs: waitMs })
    const rest = this.#planned.slice(from)
    if (this.#parts.isAtLeastOnce) return this.#failed([...this.#undelivered, ...rest])
    const next = rest[0]
    const last = this.#planned[from - 1]
    // Blocks are committed ahead of their sending; what was not sent after all is not given away.
    if (last) this.#context.mark(last.message, { rewind: true })
    if (waitMs > 0 && next) {
      // Not `retry`: what was marked ahead of its sending counts as finished.
      this.#context.seek(next.message.offset)
      this.#context.pause({ for: waitMs })
    }
    return undefined
  }

  #failed(planned: readonly Planned[]): Outcome {
    const { name } = this.#target
    const error = failure('MR_REPLAY_UNDELIVERED', { target: name, count: planned.length })
    return failed(planned.map(({ message }) => ({ message, error })))
  }

  /** Never rejects: what went wrong is counted, and in `undelivered`. Holds a slot. */
  async #send(planned: Planned, lateMs: number): Promise<void> {
    const { results, breaker, slots, clock, isAtLeastOnce } = this.#parts
    const { loggedStatus } = planned.request
    const startedMs = clock.monotonicMs()
    results.sent++
    results.latestMs = Math.max(results.latestMs, lateMs)
    let status: number | null = null
    try {
      ;({ status } = await this.#target.send(planned.request))
      results.statuses[status] = (results.statuses[status] ?? 0) + 1
      if (status === loggedStatus) results.matched++
      else results.differing++
      // One by one, so that a stop or a crash in the middle of a batch repeats as little as possible.
      if (isAtLeastOnce) this.#context.mark(planned.message)
    } catch {
      // The event below and the count are the report; in `at-least-once` the line comes again.
      results.unanswered++
      this.#undelivered.push(planned)
    }
    slots.release()
    if (breaker.record(status !== null)) {
      events.replayPaused.publish({ target: this.#target.name, forMs: breaker.pauseMs })
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
