/** A started timer. `cancel` is idempotent; a cancelled timer never fires. */
export interface Timer {
  cancel(): void
}

/**
 * Time as a port. Everything that waits or measures takes one, so that tests move hours in a moment.
 * `now` is wall time in epoch milliseconds, `monotonicMs` never goes back.
 */
export interface Clock {
  now(): number
  monotonicMs(): number
  /** Calls `fire` once after `delayMs` (below zero counts as zero). A timer does not keep the process alive when `unref` is set. */
  after(delayMs: number, fire: () => void, options?: { readonly unref?: boolean }): Timer
}

const longestTimerMs = 2_147_483_647

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, fire, options) {
    const timer = setTimeout(fire, Math.min(Math.max(0, delayMs), longestTimerMs))
    if (options?.unref === true) timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}

/** Resolves after `delayMs` of the clock's time; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error)
      return
    }
    const onAbort = (): void => {
      timer.cancel()
      reject(signal?.reason as Error)
    }
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
