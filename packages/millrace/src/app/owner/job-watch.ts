import type { Clock, Timer } from '../../kit/index.ts'

export interface WatchRules {
  readonly timeoutMs: number | undefined
  readonly slowAfterMs: number | undefined
}

export interface WatchListeners {
  readonly onTimeout: () => void
  readonly onSlow: (durationMs: number) => void
}

/**
 * Watches the age of the running job with one timer for all jobs of a partition: it stays armed over short jobs and,
 * when it fires, looks how old the job of that moment is. So a job costs no timer.
 */
export class JobWatch {
  readonly #clock: Clock
  readonly #rules: WatchRules
  readonly #listeners: WatchListeners
  #timer: Timer | undefined
  #timerAtMs = Infinity
  #startedAtMs: number | undefined
  #isTimedOut = false
  #isSlow = false

  constructor(clock: Clock, rules: WatchRules, listeners: WatchListeners) {
    this.#clock = clock
    this.#rules = rules
    this.#listeners = listeners
  }

  begin(startedAtMs: number): void {
    this.#startedAtMs = startedAtMs
    this.#isTimedOut = false
    this.#isSlow = false
    this.#arm()
  }

  end(): void {
    this.#startedAtMs = undefined
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#timerAtMs = Infinity
  }

  /** A timer that fires too early looks and goes on; one that fires too late would miss a job's end. */
  #arm(): void {
    const dueMs = this.#nextDueMs()
    if (dueMs === undefined || dueMs >= this.#timerAtMs) return
    this.#timer?.cancel()
    this.#timerAtMs = dueMs
    this.#timer = this.#clock.after(dueMs - this.#clock.now(), () => this.#look(), { unref: true })
  }

  #nextDueMs(): number | undefined {
    if (this.#startedAtMs === undefined) return undefined
    const { timeoutMs = Infinity, slowAfterMs = Infinity } = this.#rules
    const ageMs = Math.min(
      this.#isTimedOut ? Infinity : timeoutMs,
      this.#isSlow ? Infinity : slowAfterMs,
    )
    return ageMs === Infinity ? undefined : this.#startedAtMs + ageMs
  }

  #look(): void {
    this.#timer = undefined
    this.#timerAtMs = Infinity
    if (this.#startedAtMs === undefined) return
    const ageMs = this.#clock.now() - this.#startedAtMs
    const { timeoutMs = Infinity, slowAfterMs = Infinity } = this.#rules
    if (ageMs >= timeoutMs && !this.#isTimedOut) {
      this.#isTimedOut = true
      this.#listeners.onTimeout()
    }
    if (ageMs >= slowAfterMs && !this.#isSlow) {
      this.#isSlow = true
      this.#listeners.onSlow(ageMs)
    }
    this.#arm()
  }
}
