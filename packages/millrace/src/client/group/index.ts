export {
  cooperativeSticky,
  range,
  type AssignableMember,
  type Assignment,
  type Assignor,
  type TopicPartition,
} from './assignors/index.ts'
export type { CommitOutcome } from './commit-queue.ts'
export { joinGroup, type CommitEntry, type GroupMember } from './group-member.ts'
export { defaultFetchLimits, type GroupOptions, type StartPolicy } from './options.ts'
export type { OwnedPartition } from './owned-partition.ts'
