import { events } from '../../telemetry/index.ts'
import type { WorkerState } from './worker.ts'

/** States whose event says more (`initialized`, `running`, `stopped`) are told where that is known. */
const eventOfState: Partial<Record<WorkerState | 'supervising', typeof events.workerQuiet>> = {
  supervising: events.workerSupervising,
  quieting: events.workerQuieting,
  quiet: events.workerQuiet,
  stopping: events.workerStopping,
  terminated: events.workerTerminated,
}

/** Tells of a state that the worker goes to: as `app.state`, and under the name of the state. */
export function publishState(state: WorkerState, before: WorkerState): void {
  const { pid } = process
  events.workerStateChanged.publish({ state, before, pid })
  eventOfState[state]?.publish({ pid })
}
