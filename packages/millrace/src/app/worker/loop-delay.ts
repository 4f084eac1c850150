import { events } from '../../telemetry/index.ts'

const lookEveryMs = 500
const noticedMs = 1000

/** Tells when the event loop was blocked, and by which handlers; a blocked loop stops heartbeats too. */
export function watchLoopDelay(sessionMs: number, running: () => readonly string[]): () => void {
  let expectedMs = performance.now() + lookEveryMs
  const timer = setInterval(() => {
    const now = performance.now()
    const delayMs = now - expectedMs
    expectedMs = now + lookEveryMs
    if (delayMs < noticedMs) return
    events.loopDelay.publish({ delayMs, jobs: running(), isGrave: delayMs > sessionMs / 2 })
  }, lookEveryMs)
  timer.unref()
  return () => clearInterval(timer)
}
