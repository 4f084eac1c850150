export {
  cooperativeSticky,
  partitionKey,
  range,
  type Assignor,
  type TopicPartition,
} from './assignors/index.ts'
export { Committer } from './committer.ts'
export { CoordinatorLink } from './coordinator-link.ts'
export { Tenures } from './tenures.ts'
export type { CommitOutcome } from './commit-queue.ts'
export { commitEntries, type CommitEntry } from './commit-entries.ts'
export { joinGroup, type GroupMember } from './group-member.ts'
export {
  defaultFetchLimits,
  readingOf,
  type GroupOptions,
  type GroupSettings,
  type ReadingOptions,
  type StartPolicy,
} from './options.ts'
export type { OwnedPartition } from './owned-partition.ts'
