export { bytes, json, text, type Codec } from './topic/codec.ts'
export {
  defineTopic,
  type AnyTopic,
  type InputOf,
  type KeyOf,
  type Topic,
  type TopicOptions,
  type ValueOf,
} from './topic/define-topic.ts'
export { deadLetter, failed, retry, skip, stop, type Failure, type Outcome } from './outcome.ts'
export { Consumer, Consumer as ApplicationConsumer } from './consumer/consumer-class.ts'
export {
  defineConsumer,
  type ConsumerDefinition,
  type ConsumerSettings,
} from './consumer/define-consumer.ts'
export type { EventOf, MemberMessage, OnEvents } from './consumer/by-event.ts'
export type { Assignment, Hooks } from './consumer/hooks.ts'
export type { Context, Responses, SeekTo } from './context/context.ts'
export { deadLetterTopic } from './dead-letter/index.ts'
export type { DeadLetterExtras, DeadLetterInfo, DeadLetterOptions } from './dead-letter/index.ts'
export type { Inbox, InboxOptions } from './inbox/index.ts'
export type { Message, Messages } from './message/message.ts'
export type { FilterContext, PacingOptions, ThrottleOptions } from './pacing/index.ts'
export type { Middleware, MiddlewareLayers } from './middleware/middleware.ts'
export type {
  EncodedMessage,
  Header,
  Logger,
  Runnable,
  RunnableContext,
  SeekTarget,
  Sent,
  SourceMessage,
  SourcePartition,
} from './ports.ts'
export {
  openAdmin,
  type AppAdmin,
  type ConnectOptions,
  type CreateTopicOptions,
  type GroupAdmin,
  type GroupLag,
  type GroupTarget,
  type OffsetMove,
  type SeekOptions,
  type TopicAdmin,
  type Watermarks,
} from './admin/index.ts'
export { readTopic, type ReadOptions } from './read/index.ts'
export { defineApp, type AppDefinition, type AppHooks, type AppOptions } from './define-app.ts'
export { pattern, type TopicMatch } from './patterns/index.ts'
export type { ChildSpec } from './swarm/index.ts'
export type { KeptPause, RunningEntry, WorkerStatus } from './control/index.ts'
export type { ClusterOptions, Clients } from './clusters/index.ts'
export { defineConfig, type MillraceConfig } from './config/define-config.ts'
export type { WorkerHealth } from './health/index.ts'
export { appOptions } from './config/options.ts'
export { resolveConfig, type ResolvedConfig } from './config/resolve-config.ts'
export {
  errorTracker,
  sentry,
  type ErrorReport,
  type ErrorTrackerOptions,
  type SentryOptions,
} from './error-tracker/index.ts'
export { metricsContentType, renderMetrics } from './metrics/index.ts'
export { monitor, type Monitor } from './monitor.ts'
export {
  startRelay,
  type OutboxCore,
  type OutboxEntry,
  type OutboxOptions,
  type OutboxStats,
  type Queued,
  type Relay,
  type RelayOptions,
  type StartedRelay,
  type StartRelayOptions,
} from './outbox/index.ts'
export { deleted, type UpsertOptions, type UpsertRow } from './upsert/index.ts'
export type { TelemetryEvent } from '../telemetry/index.ts'
export type { AppProducer, Batched, Sending, SendVerdict } from './produce/app-producer.ts'
export type { SendSettings } from './produce/lanes.ts'
export { currentProducer } from './produce/current-producer.ts'
export type { MessageBuffer } from './produce/message-buffer.ts'
export { openProducer } from './produce/open-producer.ts'
export {
  ApplicationResponder,
  defineResponder,
  type AnyResponder,
  type ResponderTopic,
} from './responder/responder.ts'
export {
  defineRecurring,
  openRecurring,
  type Recurring,
  type RecurringContext,
  type RecurringJob,
  type RecurringOptions,
  type RecurringSchedule,
  type RecurringStatus,
  type RunReason,
  type RunRecord,
} from './recurring/index.ts'
export { errorOf, isChosen, readLetter, redrive } from './redrive/index.ts'
export type {
  Letter,
  LetterChoice,
  RedriveOptions,
  RedriveProgress,
  RedriveReport,
} from './redrive/index.ts'
export {
  defineThreadHandler,
  type ThreadContext,
  type ThreadHandlerDefinition,
  type ThreadOptions,
} from './threads/index.ts'
export {
  defineSchedule,
  type Schedule,
  type ScheduleOptions,
  type SendAtOptions,
} from './schedule/index.ts'
export { startWorker, type StartOptions } from './worker/start-worker.ts'
export type { PartitionStatus, Worker, WorkerState } from './worker/worker.ts'
export type { OwnerState } from './owner/partition-owner.ts'
export type { Send, Sendable } from './produce/sendable.ts'
/** For the other parts of Millrace (testing, commands); may change with any version. */
export * as internals from './internals.ts'
