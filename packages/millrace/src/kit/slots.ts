interface Waiter {
  readonly resolve: (isTaken: boolean) => void
}

/**
 * How many of something may go on at once. First come, first served: those who ask again after each turn take turns,
 * such as the partitions of a worker.
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

  /** Changeable at any time; what has a slot keeps it. */
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
    if (signal.aborted) return Promise.resolve(false)
    if (this.tryTake()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const waiter: Waiter = {
        resolve: (isTaken) => {
          signal.removeEventListener('abort', onAbort)
          resolve(isTaken)
        },
      }
      const onAbort = (): void => {
        const index = this.#waiting.indexOf(waiter)
        if (index < 0) return
        this.#waiting.splice(index, 1)
        resolve(false)
      }
      this.#waiting.push(waiter)
      signal.addEventListener('abort', onAbort, { once: true })
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
