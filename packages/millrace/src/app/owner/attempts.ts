interface Count {
  count: number
  firstFailedAtMs: number
  isStuckTold: boolean
  errors: unknown[] | undefined
}

/** An offset that fails. */
export interface Failing {
  readonly offset: number
  /** Its first failure, epoch milliseconds. */
  readonly sinceMs: number
  readonly attempts: number
}

/** At one offset for longer than this, the partition is listed as stuck. */
export const stuckAfterMs = 300_000
const longestHistory = 100

/** Failed attempts by offset. The count belongs to the offset that failed, so progress resets it; a restart does too. */
export class Attempts {
  /** In the order of their first failures. */
  readonly #byOffset = new Map<number, Count>()
  readonly #keepsErrors: boolean

  /** @param keepsErrors - for an `onError` that wants the history */
  constructor(keepsErrors = false) {
    this.#keepsErrors = keepsErrors
  }

  get isEmpty(): boolean {
    return this.#byOffset.size === 0
  }

  failedAt(offset: number): number {
    return this.#byOffset.size === 0 ? 0 : (this.#byOffset.get(offset)?.count ?? 0)
  }

  firstFailedAtMs(offset: number, nowMs: number): number {
    return this.#byOffset.get(offset)?.firstFailedAtMs ?? nowMs
  }

  /** The count with this failure. */
  fail(offset: number, nowMs: number, error: unknown): number {
    let known = this.#byOffset.get(offset)
    if (known === undefined) {
      const errors = this.#keepsErrors ? [] : undefined
      known = { count: 0, firstFailedAtMs: nowMs, isStuckTold: false, errors }
      this.#byOffset.set(offset, known)
    }
    if (known.errors !== undefined) {
      if (known.errors.length === longestHistory) known.errors.shift()
      known.errors.push(error)
    }
    return ++known.count
  }

  /** Its errors, oldest first, at most the last 100. */
  history(offset: number): readonly unknown[] {
    return this.#byOffset.get(offset)?.errors?.slice() ?? []
  }

  /** The offset that has been failing for longest. */
  get oldest(): Failing | undefined {
    for (const [offset, { firstFailedAtMs, count }] of this.#byOffset)
      return { offset, sinceMs: firstFailedAtMs, attempts: count }
    return undefined
  }

  /** When there will be something to tell about; Infinity when nothing fails. */
  get nextStuckAtMs(): number {
    for (const { firstFailedAtMs, isStuckTold } of this.#byOffset.values())
      if (!isStuckTold) return firstFailedAtMs + stuckAfterMs
    return Infinity
  }

  /** Those that became stuck since the last call. */
  newlyStuck(nowMs: number): Failing[] {
    const stuck: Failing[] = []
    for (const [offset, count] of this.#byOffset) {
      if (nowMs - count.firstFailedAtMs < stuckAfterMs) break
      if (count.isStuckTold) continue
      count.isStuckTold = true
      stuck.push({ offset, sinceMs: count.firstFailedAtMs, attempts: count.count })
    }
    return stuck
  }

  forget(offset: number): void {
    if (this.#byOffset.size > 0) this.#byOffset.delete(offset)
  }

  clear(): void {
    this.#byOffset.clear()
  }
}
