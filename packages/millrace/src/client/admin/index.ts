export { openAdmin, type Admin } from './admin.ts'
export type { AdminOptions } from './ask-each.ts'
export type { DescribedBroker, DescribedCluster } from './cluster.ts'
export type {
  ConfigChange,
  ConfigResource,
  ConfigSource,
  DescribeConfigsOptions,
  DescribedConfig,
} from './configs.ts'
export type { CommittedOffset, OffsetEntry, SetOffset, TopicPartitions } from './group-offsets.ts'
export type { DescribedGroup, DescribedMember, GroupResult, ListedGroup } from './groups.ts'
export type { ListedOffset, ListOffsetsOptions, OffsetQuery } from './offsets.ts'
export type {
  CreatedTopic,
  DescribedPartition,
  DescribedTopic,
  NamedResult,
  NewTopic,
  ValidateOptions,
} from './topics.ts'
export type { DeletedRecords, DeleteRecordsEntry, ReplicaSize } from './records.ts'
