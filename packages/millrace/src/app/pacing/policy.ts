/** Pure rules about time: what they say depends on what they are given. */

export function isExpired(timestampMs: number, expireAfterMs: number, nowMs: number): boolean {
  return nowMs - timestampMs > expireAfterMs
}

/**
 * At most `limit` admissions in any span of `perMs`, wherever the span begins: a window that is cut at fixed times would
 * let twice as many through around a cut.
 *
 *     times, a ring of `limit`:   [ t5 t6 t2 t3 t4 ]      the oldest one, t2, decides: free from t2 + per on
 *                                         ^ next
 */
export class Throttle {
  readonly #perMs: number
  readonly #times: Float64Array
  #next = 0

  constructor(limit: number, perMs: number) {
    this.#perMs = perMs
    this.#times = new Float64Array(limit).fill(-Infinity)
  }

  /** 0 when one may pass now, else when to ask again. */
  freeAtMs(nowMs: number): number {
    const atMs = (this.#times[this.#next] as number) + this.#perMs
    return atMs > nowMs ? atMs : 0
  }

  admit(nowMs: number): void {
    this.#times[this.#next] = nowMs
    this.#next = (this.#next + 1) % this.#times.length
  }
}
