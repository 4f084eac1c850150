export { askWorker, runningWorkers, type RunningEntry } from './control-client.ts'
export { startControlServer, type ControlServer } from './control-server.ts'
export type {
  ControlAnswer,
  ControlRequest,
  PartitionRow,
  WorkerInternals,
  WorkerStatus,
} from './messages.ts'
export {
  addPause,
  isPaused,
  readPauses,
  removePause,
  writePauses,
  type KeptPause,
} from './pauses.ts'
export { registered as registeredWorkers } from './registry.ts'
export { memberNameOf, parseWorkerName, workerTitle } from './worker-name.ts'
