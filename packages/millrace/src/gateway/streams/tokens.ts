/**
 * Replies by token, so that a repeated XADD answers as the first did. Pure.
 *
 * A token lives 10 minutes, and less when more come than fit: a repeat usually follows within seconds.
 */
import type { Clock } from '../../kit/index.ts'

interface Kept<T> {
  readonly untilMs: number
  readonly reply: Promise<T>
}

const keepMs = 10 * 60_000
const mostTokens = 100_000
const mostBytes = 16 * 1024 * 1024
/** Besides the text: the entry of the map, the promise and its id. */
const costOfOne = 160

export class Tokens<T> {
  readonly #clock: Clock
  readonly #byToken = new Map<string, Kept<T>>()
  #bytes = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#byToken.size
  }

  /** The reply under the token, or that of `run`. What rejects is forgotten at once: a repeat may succeed. */
  once(token: string, run: () => Promise<T>): Promise<T> {
    const nowMs = this.#clock.monotonicMs()
    const kept = this.#byToken.get(token)
    if (kept !== undefined && kept.untilMs > nowMs) return kept.reply
    if (kept !== undefined) this.#forget(token)
    const reply = run()
    this.#byToken.set(token, { untilMs: nowMs + keepMs, reply })
    this.#bytes += token.length + costOfOne
    this.#trim(nowMs)
    reply.catch(() => {
      if (this.#byToken.get(token)?.reply === reply) this.#forget(token)
    })
    return reply
  }

  /** They lie in the order they came, so the first is the oldest. */
  #trim(nowMs: number): void {
    for (const [token, { untilMs }] of this.#byToken) {
      const fits = this.#byToken.size <= mostTokens && this.#bytes <= mostBytes
      if (untilMs > nowMs && fits) return
      this.#forget(token)
    }
  }

  #forget(token: string): void {
    if (this.#byToken.delete(token)) this.#bytes -= token.length + costOfOne
  }
}
