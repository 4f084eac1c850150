export { type Credentials } from './credentials.ts'
export type { CounterExample, DrainCounts, SourceCounts } from './counters.ts'
export type { PastMessage } from './history.ts'
export type { DrainProducer } from './intake.ts'
export type { DrainMessage, DrainRecord, DrainTopics, RouterRecordFields } from './record.ts'
export { startDrain, type Drain, type DrainOptions } from './start-drain.ts'
export { openRouteStore, type RouteStoreOptions } from './routes/open-store.ts'
export {
  summarise,
  summariseAll,
  type RouteSummary,
  type TimingSummary,
} from './routes/route-report.ts'
export type { MinuteQuery, RouteLimits, RouteStore } from './routes/store.ts'
export {
  replayTraffic,
  type ReplayDefinition,
  type ReplayOptions,
} from './replay/replay-traffic.ts'
export { drainTopic, type DrainTopic } from './router-topic.ts'
export { routeMetrics, type RouteMetricsOptions } from './routes/route-metrics.ts'
export {
  startClusterDrain,
  type ClusterDrainOptions,
  type DrainClient,
} from './start-cluster-drain.ts'
export * from './simulate/index.ts'
export type { ReplayResults } from './replay/replay.ts'
