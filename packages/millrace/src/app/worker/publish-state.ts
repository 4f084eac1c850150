import { events } from '../../telemetry/index.ts'
import type { WorkerState } from './worker.ts'

/** States whose event says more (`initialized`, `running`, `stopped`) are told where that is known. */
const eventOfState: Partial<Record<WorkerState | 'supervising', typeof events.appQuiet>> = {
  supervising: events.appSupervising,
  quieting: events.appQuieting,
  quiet: events.appQuiet,
  stopping: events.appStopping,
  terminated: events.appTerminated,
}

/** Tells of a state that the worker goes to: as `app.state`, and under the name of the state. */
export function publishState(state: WorkerState, before: WorkerState): void {
  const { pid } = process
  events.appState.publish({ state, before, pid })
  eventOfState[state]?.publish({ pid })
}
