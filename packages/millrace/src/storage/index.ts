export type { FileSystem, FolderLock, OpenFile } from './file-system.ts'
export type {
  LogStore,
  LogStoreOptions,
  NewTopic,
  RetentionReport,
  StorageReport,
} from './log-store.ts'
export type {
  AppendResult,
  PartitionLog,
  ReadOptions,
  Repair,
  TimedOffset,
  TopicConfigs,
  TopicRecord,
} from './log-types.ts'
export {
  memoryFileSystem,
  type FileFault,
  type FileOperation,
  type MemoryFileSystem,
} from './memory-file-system.ts'
export { nodeFileSystem } from './node-file-system.ts'
export { isTopicName } from './cluster-file.ts'
export { openLogStore } from './open-log-store.ts'
export { logDefaults, type LogDefaults } from './topic-configs.ts'
