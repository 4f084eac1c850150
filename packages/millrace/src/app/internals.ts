export { planConsumer } from './consumer/plan-consumer.ts'
export type { ConsumerPlan } from './consumer/plan.ts'
export { Committer, type CommitPort } from './offsets/committer.ts'
export { PartitionOwner } from './owner/partition-owner.ts'
export { Slots } from '../kit/index.ts'
export { encodeMessage } from './produce/sendable.ts'
export { resolveStart } from './worker/start-worker.ts'
export { createDeclaredTopics, topicConfigs } from './worker/create-topics.ts'
export { clusterVariable } from './clusters/options.ts'
export { installLog } from './log/install-log.ts'
export { alertRules, grafanaDashboard } from './metrics/index.ts'
export { defaultInboxTable, idOf, keepMsOf, pruneRows } from './inbox/index.ts'
export { defaultTable as defaultOutboxTable, makeOutbox, shardCount } from './outbox/index.ts'
export type { Lease, NewRow, OutboxParts, OutboxStore, StoredRow } from './outbox/index.ts'
export { quoted, upsertStatements, type Dialect } from './upsert/index.ts'
export {
  addPause,
  askWorker,
  parseWorkerName,
  readPauses,
  registeredWorkers,
  removePause,
  runningWorkers,
  writePauses,
} from './control/index.ts'
export { MemoryParkedLog } from './retry-topics/parked-log.ts'
export { instanceIdOfChild, readOrders, readScaleFile, runSwarm } from './swarm/index.ts'
export {
  compareTopics,
  findTopics,
  wantedTopics,
  type FoundTopic,
  type TopicDifference,
  type WantedTopic,
} from './declared/index.ts'
