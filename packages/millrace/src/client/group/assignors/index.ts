export {
  partitionKey,
  type AssignableMember,
  type Assignment,
  type Assignor,
  type TopicPartition,
} from './assignor.ts'
export { cooperativeSticky } from './cooperative-sticky.ts'
export { range } from './range.ts'
