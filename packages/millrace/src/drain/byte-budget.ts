interface Waiting {
  readonly bytes: number
  readonly admit: () => void
}

/**
 * Bytes in flight over all connections. Who does not fit waits in line, and its socket is not read meanwhile.
 * A whole body is reserved before its first byte is read, so that no two half-read bodies wait for each other.
 */
export class ByteBudget {
  readonly #limit: number
  readonly #waiting = new Set<Waiting>()
  #held = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get held(): number {
    return this.#held
  }

  /** Resolves to true once the bytes are reserved, or to false when `signal` aborts first. */
  reserve(bytes: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false)
    if (this.#waiting.size === 0 && this.#fits(bytes)) {
      this.#held += bytes
      return Promise.resolve(true)
    }
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#waiting.delete(waiting)
        resolve(false)
        this.#admit()
      }
      const waiting: Waiting = {
        bytes,
        admit: () => {
          signal.removeEventListener('abort', leave)
          this.#waiting.delete(waiting)
          this.#held += bytes
          resolve(true)
        },
      }
      this.#waiting.add(waiting)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  release(bytes: number): void {
    this.#held -= bytes
    this.#admit()
  }

  #admit(): void {
    for (const waiting of this.#waiting) {
      if (!this.#fits(waiting.bytes)) return
      waiting.admit()
    }
  }

  /** One that is larger than the whole budget may pass alone. */
  #fits(bytes: number): boolean {
    return this.#held === 0 || this.#held + bytes <= this.#limit
  }
}
