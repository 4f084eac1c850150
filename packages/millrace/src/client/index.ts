export { openAdmin } from './admin/index.ts'
export type * from './admin/index.ts'
export { openClient, type Client, type ClientOptions } from './client.ts'
export type { AssignedPartitions, AssignmentOptions, DirectAssignment } from './assignment/index.ts'
export type { ClientCore } from './client-core.ts'
export {
  joinMetadata,
  splitMetadata,
  userMetadataLimit,
  type Runs,
} from './commit-metadata/index.ts'
export { refusalOf } from './producer/index.ts'
export type { BrokerAddress, Dial, TlsOptions } from './connections/index.ts'
export { isRetriable, kafkaCodeOf, kafkaFailure } from './kafka-failure.ts'
export type { PartitionMetadata, TopicMetadata } from './metadata/index.ts'
export type {
  Delivery,
  FlushOptions,
  OutgoingMessage,
  PartitionerName,
  Producer,
  ProducerOptions,
  SendResult,
} from './producer/index.ts'
export {
  cooperativeSticky,
  range,
  type Assignor,
  type CommitEntry,
  type CommitOutcome,
  type GroupMember,
  type GroupOptions,
  type OwnedPartition,
  type StartPolicy,
  type TopicPartition,
} from './group/index.ts'
export type { ClientMessage, Committed, FetchLimits, SeekTarget } from './fetcher/index.ts'
export type { Reader, ReaderOptions, ReadFrom, ReadPartition, ReadTo } from './reader/index.ts'
