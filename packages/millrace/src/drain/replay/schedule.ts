import type { Clock } from '../../kit/index.ts'

export interface ScheduleOptions {
  /** 1 is the recorded rhythm, 10 is ten times as fast, Infinity leaves no gaps. */
  readonly speed: number
  /** Longest pause between two requests. */
  readonly maxGapMs: number
  readonly clock: Clock
}

/** Behind by more than this, the schedule begins anew from here: what was missed is not fired off in one burst. */
const mostLateMs = 5_000

/**
 * When each request is due, from the times at which they were recorded. Open loop: a slow target does not move
 * the schedule, which would hide its slowness. Lines of one moment that come in another order are due at once.
 */
export class ReplaySchedule {
  readonly #options: ScheduleOptions
  #recordedMs: number | undefined
  #atMs = 0
  #lastDueMs = 0

  constructor(options: ScheduleOptions) {
    this.#options = options
  }

  get speed(): number {
    return this.#options.speed
  }

  /** Monotonic milliseconds of the clock at which a request that was recorded at `recordedMs` is due. */
  dueMs(recordedMs: number): number {
    const { speed, maxGapMs, clock } = this.#options
    const now = clock.monotonicMs()
    if (!Number.isFinite(speed)) return now
    if (this.#recordedMs === undefined) return this.#anchor(recordedMs, now)
    const due = this.#atMs + (recordedMs - this.#recordedMs) / speed
    if (due > this.#lastDueMs + maxGapMs)
      return this.#anchor(recordedMs, Math.max(now, this.#lastDueMs + maxGapMs))
    if (due < now - mostLateMs && due >= this.#lastDueMs) return this.#anchor(recordedMs, now)
    this.#lastDueMs = Math.max(this.#lastDueMs, due)
    return due
  }

  #anchor(recordedMs: number, atMs: number): number {
    this.#recordedMs = recordedMs
    this.#atMs = atMs
    this.#lastDueMs = atMs
    return atMs
  }
}
