import type { Line } from '../define-line.ts'
import { clusterLines } from './cluster.ts'
import { consumerLines } from './consumers.ts'
import { featureLines } from './features.ts'
import { processLines } from './processes.ts'
import { workerLines } from './worker.ts'

/** Every log line of Millrace. */
export const logLines: readonly Line[] = [
  ...workerLines,
  ...processLines,
  ...clusterLines,
  ...consumerLines,
  ...featureLines,
]
