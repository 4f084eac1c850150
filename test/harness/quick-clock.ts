import { systemClock, type Clock } from '../../packages/millrace/src/kit/index.ts'

/** A clock whose wall time runs so many times faster from `startMs` on; timers and what is measured stay real. */
export function quickClock(factor: number, startMs: number, realStartMs = Date.now()): Clock {
  return {
    now: () => startMs + (Date.now() - realStartMs) * factor,
    monotonicMs: () => systemClock.monotonicMs(),
    after: (delayMs, fire, options) => systemClock.after(delayMs, fire, options),
  }
}
