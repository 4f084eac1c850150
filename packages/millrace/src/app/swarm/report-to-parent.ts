import type { Clock, Timer } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import type { WorkerStatus } from '../control/index.ts'
import type { ChildOrders, ChildReport } from './messages.ts'

export interface ReportingWorker {
  status(): WorkerStatus
  /** The parent has gone: a graceful stop with exit code 3. */
  orphaned(): void
}

/**
 * Tells the parent, on its interval and at each change of state, how the worker is. Without a parent the worker has no
 * one to start it again, nor to stop it: it ends.
 */
export function reportToParent(
  worker: ReportingWorker,
  { reportEveryMs }: ChildOrders,
  clock: Clock,
): () => void {
  let timer: Timer | undefined
  const report = (): void => {
    if (process.send === undefined || !process.connected) return
    const message: ChildReport = { millrace: 'report', status: worker.status() }
    // A parent that dies meanwhile is heard of by the end of the channel.
    process.send(message, undefined, undefined, () => undefined)
  }
  const tick = (): void => {
    report()
    timer = clock.after(reportEveryMs, tick, { unref: true })
  }
  const onDisconnect = (): void => worker.orphaned()
  process.on('disconnect', onDisconnect)
  // Not in the middle of the change: the status is read when it is complete.
  const unsubscribe = events.appState.subscribe(() => queueMicrotask(report))
  tick()
  return () => {
    timer?.cancel()
    unsubscribe()
    process.removeListener('disconnect', onDisconnect)
  }
}
