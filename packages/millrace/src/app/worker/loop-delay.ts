import { events } from '../../telemetry/index.ts'

const lookEveryMs = 500
const noticedMs = 1000
const windowMs = 60_000

export interface LoopWatch extends Disposable {
  /** The longest that the loop was blocked, over one to two minutes back. */
  readonly worstMs: number
}

/** Tells when the event loop was blocked, and by which handlers; a blocked loop stops heartbeats too. */
export function watchLoopDelay(sessionMs: number, running: () => readonly string[]): LoopWatch {
  let expectedMs = performance.now() + lookEveryMs
  let windowEndsMs = expectedMs + windowMs
  let worst = 0
  let worstBefore = 0
  const timer = setInterval(() => {
    const now = performance.now()
    const delayMs = now - expectedMs
    expectedMs = now + lookEveryMs
    if (now > windowEndsMs) {
      worstBefore = worst
      worst = 0
      windowEndsMs = now + windowMs
    }
    worst = Math.max(worst, delayMs)
    if (delayMs < noticedMs) return
    events.processLoopDelay.publish({ delayMs, jobs: running(), isGrave: delayMs > sessionMs / 2 })
  }, lookEveryMs)
  timer.unref()
  return {
    get worstMs() {
      return Math.max(worst, worstBefore)
    },
    [Symbol.dispose]: () => clearInterval(timer),
  }
}
