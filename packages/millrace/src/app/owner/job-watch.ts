import type { Clock, Timer } from '../../kit/index.ts'

export interface WatchRules {
  readonly timeoutMs: number | undefined
  readonly slowAfterMs: number | undefined
}

/** A job as the watch sees it; the flags are the watch's own. */
export interface WatchedJob {
  readonly startedAt: number
  isTimedOut: boolean
  isSlow: boolean
}

export interface WatchListeners<J> {
  readonly onTimeout: (job: J) => void
  readonly onSlow: (job: J, durationMs: number) => void
}

/**
 * Watches the age of running jobs with one timer for all jobs of a partition: it stays armed over short jobs and, when
 * it fires, looks how old those of that moment are. So a job costs no timer.
 */
export class JobWatch<J extends WatchedJob> {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #slowAfterMs: number
  readonly #running: ReadonlySet<J>
  readonly #listeners: WatchListeners<J>
  #timer: Timer | undefined
  #timerAtMs = Infinity

  /** @param running - in the order of their starts */
  constructor(
    clock: Clock,
    rules: WatchRules,
    running: ReadonlySet<J>,
    listeners: WatchListeners<J>,
  ) {
    this.#clock = clock
    this.#timeoutMs = rules.timeoutMs ?? Infinity
    this.#slowAfterMs = rules.slowAfterMs ?? Infinity
    this.#running = running
    this.#listeners = listeners
  }

  /** A job has started. */
  begin(job: J): void {
    this.#armFor(this.#dueMs(job))
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#timerAtMs = Infinity
  }

  #dueMs(job: J): number {
    return (
      job.startedAt +
      Math.min(
        job.isTimedOut ? Infinity : this.#timeoutMs,
        job.isSlow ? Infinity : this.#slowAfterMs,
      )
    )
  }

  /** A timer that fires too early looks and goes on; one that fires too late would miss a job's limit. */
  #armFor(dueMs: number): void {
    if (dueMs >= this.#timerAtMs) return
    this.#timer?.cancel()
    this.#timerAtMs = dueMs
    const delayMs = dueMs - this.#clock.now()
    this.#timer = this.#clock.after(delayMs, () => this.#fire(), { unref: true })
  }

  #fire(): void {
    this.#timer = undefined
    this.#timerAtMs = Infinity
    for (const job of this.#running) {
      const ageMs = this.#clock.now() - job.startedAt
      if (ageMs >= this.#timeoutMs && !job.isTimedOut) {
        job.isTimedOut = true
        this.#listeners.onTimeout(job)
      }
      if (ageMs >= this.#slowAfterMs && !job.isSlow) {
        job.isSlow = true
        this.#listeners.onSlow(job, ageMs)
      }
    }
    for (const job of this.#running) this.#armFor(this.#dueMs(job))
  }
}
