import type { Clock, Timer } from '../../kit/index.ts'

type Deadline = 'delay' | 'join' | 'absent' | 'sync'

/**
 * The deadlines of one group's rebalance:
 *
 *     delay    the first members of an empty group wait for more
 *     join     all have to have joined
 *     absent   those without a connection have to be back
 *     sync     all have to have asked for their assignment
 *
 * Setting one cancels what it was set to before.
 */
export class RebalanceTimers {
  readonly #clock: Clock
  readonly #timers = new Map<Deadline, Timer>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  has(name: Deadline): boolean {
    return this.#timers.has(name)
  }

  set(name: Deadline, delayMs: number, fire: () => void): void {
    this.#timers.get(name)?.cancel()
    const over = (): void => {
      this.#timers.delete(name)
      fire()
    }
    this.#timers.set(name, this.#clock.after(delayMs, over, { unref: true }))
  }

  /** Without names: all of them. */
  cancel(...names: readonly Deadline[]): void {
    for (const name of names.length > 0 ? names : [...this.#timers.keys()]) {
      this.#timers.get(name)?.cancel()
      this.#timers.delete(name)
    }
  }
}
