import type { Clock, Timer } from './clock.ts'

interface Waiting {
  readonly atMs: number
  readonly order: number
  readonly fire: () => void
}

/** A clock that stands still until told otherwise: the memory implementation of `Clock`. */
export interface ManualClock extends Clock {
  /** Moves time forward; timers that come due fire in order, each at its own time. */
  advance(ms: number): void
  /** Like `advance`, and lets promises settle between timers, so that chains of waits run through. */
  advanceAsync(ms: number): Promise<void>
  /** How many timers are waiting. */
  readonly waiting: number
}

export function manualClock(startMs = 1_700_000_000_000): ManualClock {
  // Kept from zero: beside an epoch time a tiny part of a millisecond would vanish, and a timer so near never come due.
  let elapsedMs = 0
  let order = 0
  const timers = new Set<Waiting>()

  const nextDue = (untilMs: number): Waiting | undefined => {
    let next: Waiting | undefined
    for (const timer of timers) {
      if (timer.atMs > untilMs) continue
      if (!next || timer.atMs < next.atMs || (timer.atMs === next.atMs && timer.order < next.order))
        next = timer
    }
    return next
  }
  const fire = (timer: Waiting): void => {
    timers.delete(timer)
    elapsedMs = Math.max(elapsedMs, timer.atMs)
    timer.fire()
  }

  return {
    now: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    after(delayMs, callback): Timer {
      const timer: Waiting = {
        atMs: elapsedMs + Math.max(0, delayMs),
        order: order++,
        fire: callback,
      }
      timers.add(timer)
      return { cancel: () => void timers.delete(timer) }
    },
    advance(ms) {
      const untilMs = elapsedMs + ms
      for (let next = nextDue(untilMs); next; next = nextDue(untilMs)) fire(next)
      elapsedMs = untilMs
    },
    async advanceAsync(ms) {
      const untilMs = elapsedMs + ms
      await settle()
      for (let next = nextDue(untilMs); next; next = nextDue(untilMs)) {
        fire(next)
        await settle()
      }
      elapsedMs = untilMs
    },
    get waiting() {
      return timers.size
    },
  }
}

/** Lets every promise and immediate that is ready run, a few turns deep. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}
