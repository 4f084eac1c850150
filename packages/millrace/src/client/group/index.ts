export { cooperativeSticky, range, type Assignor, type TopicPartition } from './assignors/index.ts'
export { Committer } from './committer.ts'
export { CoordinatorLink } from './coordinator-link.ts'
export { Tenures } from './tenures.ts'
export type { CommitOutcome } from './commit-queue.ts'
export { joinGroup, type CommitEntry, type GroupMember } from './group-member.ts'
export {
  defaultFetchLimits,
  type GroupOptions,
  type GroupSettings,
  type StartPolicy,
} from './options.ts'
export type { OwnedPartition } from './owned-partition.ts'
