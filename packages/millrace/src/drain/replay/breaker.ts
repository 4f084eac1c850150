import type { Clock } from '../../kit/index.ts'

export interface BreakerOptions {
  /** How many of the last requests are looked at; half of them failed = open. Default 50. */
  readonly window: number
  /** How long an open breaker waits before it lets one request try. */
  readonly pauseMs: number
  readonly clock: Clock
}

/** Stops sending to a target that does not answer, and tries with one request after a pause. */
export class Breaker {
  readonly #options: BreakerOptions
  #outcomes: boolean[] = []
  #openUntilMs: number | undefined
  #isProbing = false

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  /** Milliseconds until a request may go; 0 = now. Ask once for each request: after a pause it lets one through. */
  waitMs(): number {
    if (this.#openUntilMs === undefined) return 0
    const left = this.#openUntilMs - this.#options.clock.monotonicMs()
    if (left > 0) return left
    if (this.#isProbing) return this.#options.pauseMs
    this.#isProbing = true
    return 0
  }

  get pauseMs(): number {
    return this.#options.pauseMs
  }

  /** True when this outcome opened the breaker, anew or after a probe. */
  record(isAnswered: boolean): boolean {
    if (this.#openUntilMs !== undefined) {
      // Requests that were on their way when it opened say nothing new.
      if (!this.#isProbing) return false
      this.#isProbing = false
      if (isAnswered) {
        this.#openUntilMs = undefined
        this.#outcomes = []
        return false
      }
      this.#open()
      return true
    }
    this.#outcomes.push(isAnswered)
    const { window } = this.#options
    if (this.#outcomes.length > window) this.#outcomes.shift()
    if (this.#outcomes.length < window) return false
    const failures = this.#outcomes.filter((outcome) => !outcome).length
    if (failures * 2 < window) return false
    this.#open()
    return true
  }

  #open(): void {
    this.#openUntilMs = this.#options.clock.monotonicMs() + this.#options.pauseMs
  }
}
