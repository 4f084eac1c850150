import { deferred, type Deferred } from '../../kit/index.ts'

/** Requests that may be in flight at once; further ones wait in order. */
export class Slots {
  readonly count: number
  #free: number
  readonly #waiting = new Set<Deferred<void>>()

  constructor(count: number) {
    this.count = count
    this.#free = count
  }

  /** Rejects with the signal's reason when it aborts first. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#free > 0) {
      this.#free--
      return
    }
    const wait = deferred()
    const leave = (): void => {
      this.#waiting.delete(wait)
      wait.reject(signal.reason)
    }
    this.#waiting.add(wait)
    signal.addEventListener('abort', leave, { once: true })
    try {
      await wait.promise
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  give(): void {
    const [next] = this.#waiting
    if (!next) {
      this.#free++
      return
    }
    this.#waiting.delete(next)
    next.resolve()
  }
}
