import type { Clock } from '../../kit/index.ts'

/**
 * The one place where an owner's loop sleeps: until a time, until something outside is ready, or until somebody
 * wakes it. There is one loop, so one waiter. Without lanes a wake with nobody waiting is not kept, since the loop
 * looks at its state right before it waits; with them a lane may end while a hook runs between the look and the wait.
 */
export class Wakeup {
  readonly #keepsWakes: boolean
  #wake: (() => void) | undefined
  #isKept = false

  constructor({ keepsWakes }: { readonly keepsWakes: boolean }) {
    this.#keepsWakes = keepsWakes
  }

  wake(): void {
    if (this.#wake === undefined) this.#isKept = this.#keepsWakes
    else this.#wake()
  }

  /** The loop is about to look at its state: earlier wakes are done with. */
  forget(): void {
    this.#isKept = false
  }

  get isWaiting(): boolean {
    return this.#wake !== undefined
  }

  /**
   * @param untilMs - the clock's time, or Infinity
   * @param other - ends the wait as well; its signal aborts when the wait ends. A rejection after that is ignored
   */
  async wait(
    clock: Clock,
    untilMs: number,
    other?: (signal: AbortSignal) => Promise<unknown>,
  ): Promise<void> {
    const delayMs = untilMs - clock.now()
    if (delayMs <= 0 || this.#isKept) {
      this.#isKept = false
      return
    }
    const aborter = other === undefined ? undefined : new AbortController()
    let isOver = false
    let timer: { cancel(): void } | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve
        // Longer waits than a timer can hold are cut by the clock; the loop looks again.
        if (Number.isFinite(delayMs)) timer = clock.after(delayMs, resolve)
        if (other === undefined || aborter === undefined) return
        other(aborter.signal).then(
          () => resolve(),
          (error: unknown) => {
            if (isOver) return
            reject(error)
          },
        )
      })
    } finally {
      isOver = true
      this.#wake = undefined
      timer?.cancel()
      aborter?.abort()
    }
  }
}
