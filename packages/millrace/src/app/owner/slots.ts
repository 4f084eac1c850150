interface Waiter {
  readonly resolve: (isTaken: boolean) => void
}

/**
 * Handler calls that may run at once in the process. First come, first served: owners that ask again after each
 * call take turns, which is the round robin over partitions.
 */
export class Slots {
  #capacity: number
  #taken = 0
  readonly #waiting: Waiter[] = []

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get capacity(): number {
    return this.#capacity
  }

  get taken(): number {
    return this.#taken
  }

  /** Changeable while running; calls that already run are not touched. */
  resize(capacity: number): void {
    this.#capacity = capacity
    this.#handOut()
  }

  /** The cheap way while there is room and nobody waits. */
  tryTake(): boolean {
    if (this.#taken >= this.#capacity || this.#waiting.length > 0) return false
    this.#taken++
    return true
  }

  /** True with a slot, false when the signal aborted first. */
  take(signal: AbortSignal): Promise<boolean> {
    if (this.tryTake()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const waiter: Waiter = { resolve }
      this.#waiting.push(waiter)
      signal.addEventListener(
        'abort',
        () => {
          const index = this.#waiting.indexOf(waiter)
          if (index < 0) return
          this.#waiting.splice(index, 1)
          resolve(false)
        },
        { once: true },
      )
    })
  }

  release(): void {
    this.#taken--
    this.#handOut()
  }

  #handOut(): void {
    while (this.#taken < this.#capacity) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#taken++
      next.resolve(true)
    }
  }
}
