interface Count {
  count: number
  firstFailedAtMs: number
}

/** Failed attempts by offset. The count belongs to the offset that failed, so progress resets it; a restart does too. */
export class Attempts {
  readonly #byOffset = new Map<number, Count>()

  failedAt(offset: number): number {
    return this.#byOffset.size === 0 ? 0 : (this.#byOffset.get(offset)?.count ?? 0)
  }

  firstFailedAtMs(offset: number, nowMs: number): number {
    return this.#byOffset.get(offset)?.firstFailedAtMs ?? nowMs
  }

  /** The count with this failure. */
  fail(offset: number, nowMs: number): number {
    const known = this.#byOffset.get(offset)
    if (known === undefined) {
      this.#byOffset.set(offset, { count: 1, firstFailedAtMs: nowMs })
      return 1
    }
    return ++known.count
  }

  forget(offset: number): void {
    if (this.#byOffset.size > 0) this.#byOffset.delete(offset)
  }

  clear(): void {
    this.#byOffset.clear()
  }
}
