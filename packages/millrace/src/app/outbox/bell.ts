import type { Clock, Timer } from '../../kit/index.ts'

/** Wakes one waiter. A ring while nobody waits is kept, so that nothing rung for is overlooked. */
export class Bell {
  #isRung = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#isRung = true
    this.#wake?.()
  }

  /** Resolves at the next ring, after `ms`, or when the signal aborts. */
  async wait(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#isRung && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const onAbort = (): void => resolve()
      this.#wake = resolve
      signal.addEventListener('abort', onAbort, { once: true })
      const timer = clock.after(ms, resolve)
      await promise
      timer.cancel()
      signal.removeEventListener('abort', onAbort)
      this.#wake = undefined
    }
    this.#isRung = false
  }
}

/** Calls at once, then at most once in `ms`: many commits are one notice to other processes. */
export class Debounced {
  readonly #call: () => void
  readonly #ms: number
  readonly #clock: Clock
  #timer: Timer | undefined
  #isWanted = false

  constructor(clock: Clock, ms: number, call: () => void) {
    this.#clock = clock
    this.#ms = ms
    this.#call = call
  }

  trigger(): void {
    if (this.#timer !== undefined) {
      this.#isWanted = true
      return
    }
    this.#fire()
  }

  #fire(): void {
    this.#isWanted = false
    this.#timer = this.#clock.after(
      this.#ms,
      () => {
        this.#timer = undefined
        if (this.#isWanted) this.#fire()
      },
      { unref: true },
    )
    this.#call()
  }
}
