export type {
  ClusterFacts,
  GroupFacts,
  HealthFacts,
  JobAge,
  PartitionFacts,
  RunnableFacts,
} from './facts.ts'
export { HealthMonitor, type HealthSnapshot, type WorkerHealth } from './health-monitor.ts'
export { startHealthServer, type HealthAnswer, type HealthServer } from './health-server.ts'
export { LagWatch } from './lag-watch.ts'
export type { HealthVerdict } from './policy.ts'
export { liveAnswer, partitionRow, readyAnswer } from './worker-answers.ts'
