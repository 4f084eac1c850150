/** The public shape of a store: what the broker, the tools and the tests hold. */
import type { MillraceError } from '../errors/index.ts'
import type { BufferPool, Clock } from '../kit/index.ts'
import type { FileSystem } from './file-system.ts'
import type { PartitionLog, Repair, TopicConfigs, TopicRecord } from './log-types.ts'

export interface LogStoreOptions {
  readonly folder: string
  /** Default: the disk. `memoryFileSystem()` for a store that need not last. */
  readonly fs?: FileSystem
  readonly clock?: Clock
  /**
   * `process`: acknowledged data is in the page cache; it survives kill -9 and crashes of Node, and a background
   * sync bounds what a power failure can take.
   */
  readonly durability?: 'process'
  /** Defaults for topics that do not say otherwise: 64 MiB, 7 days, 7 days, without limit. */
  readonly segmentBytes?: number
  readonly segmentMs?: number
  readonly retentionMs?: number
  readonly retentionBytes?: number
  /** Log bytes between two index entries, default 4 KiB. */
  readonly indexIntervalBytes?: number
  /** Background sync: default every second, or after 8 MiB of one partition. */
  readonly syncIntervalMs?: number
  readonly syncBytes?: number
  /** Default 16 MiB; 0 does without. */
  readonly reserveBytes?: number
  /** Files kept open when idle, default 256. */
  readonly openFiles?: number
  /** How long a producer is remembered after its last batch; default, and in production at least, one day. */
  readonly producerExpiryMs?: number
  /** Looks at a folder without lock, repair or any other change, also beside its running owner. */
  readonly isReadOnly?: boolean
  /** One call per fact worth a log line. */
  readonly onReport?: (report: StorageReport) => void
  /** Where reads take their memory from; whoever is done with what was read may give it back. Default: none is. */
  readonly pool?: BufferPool
  /** Runs a callback when the present turn of the loop is over. Default `setImmediate`. */
  readonly endOfTurn?: (callback: () => void) => void
}

export type StorageReport =
  | ({ readonly kind: 'repaired' } & Repair)
  | { readonly kind: 'disk-full'; readonly path: string; readonly bytes: number }
  | { readonly kind: 'disk-free' }
  | {
      readonly kind: 'partition-failed'
      readonly topic: string
      readonly partition: number
      readonly error: MillraceError
    }
  /** A checkpoint could not be written; the next one tries again. */
  | { readonly kind: 'checkpoint-failed'; readonly error: MillraceError }
  /** Files of a deleted topic or segment are still there; the next start tries again. */
  | { readonly kind: 'removal-failed'; readonly error: MillraceError }
  /** A folder that belongs to no known topic; left alone. */
  | { readonly kind: 'stray-folder'; readonly path: string }

export interface RetentionReport {
  readonly segments: number
  readonly bytes: number
  /** Partitions whose log start moved. */
  readonly partitions: readonly {
    readonly topic: string
    readonly partition: number
    readonly logStartOffset: number
  }[]
}

export interface NewTopic {
  readonly name: string
  /** At least 1. */
  readonly partitions: number
  /** By Kafka's names; default none. */
  readonly configs?: TopicConfigs
}

/** All logs of one data folder. Closing it leaves the folder so that the next start need not check it. */
export interface LogStore extends AsyncDisposable {
  readonly folder: string
  readonly clusterId: string
  readonly nodeId: number
  /** What was cut off when the store was opened. */
  readonly repairs: readonly Repair[]
  /** No records are taken until there is room; reading and deleting go on. */
  readonly isDiskFull: boolean

  topics(): readonly TopicRecord[]
  topic(name: string): TopicRecord | undefined
  topicById(id: string): TopicRecord | undefined
  partition(topic: string, index: number): PartitionLog | undefined

  /** Durable when it resolves. @throws MR_STORAGE_TOPIC_EXISTS, MR_STORAGE_TOPIC_NAME, MR_STORAGE_PARTITIONS, MR_STORAGE_DISK_FULL, MR_STORAGE_WRITE_FAILED */
  createTopic(topic: NewTopic): Promise<TopicRecord>
  /** @param count - of partitions afterwards @throws MR_STORAGE_TOPIC_UNKNOWN, MR_STORAGE_PARTITIONS */
  addPartitions(name: string, count: number): Promise<void>
  /**
   * Replaces the whole set.
   * @param configs - the set, or how it follows from the present one: changes that come at once start from each
   * other's result; giving back the present set changes nothing
   * @throws MR_STORAGE_TOPIC_UNKNOWN
   */
  setConfigs(
    name: string,
    configs: TopicConfigs | ((now: TopicConfigs) => TopicConfigs),
  ): Promise<void>
  /** The name is free at once; files go a minute later, when their readers are gone. @throws MR_STORAGE_TOPIC_UNKNOWN */
  deleteTopic(name: string): Promise<void>

  /**
   * Resolves once everything appended in this turn of the loop is written: one promise per turn, shared. Rejects
   * with the first failure (MR_STORAGE_DISK_FULL, MR_STORAGE_WRITE_FAILED); then, and only in the handler itself,
   * a batch is in the log iff its partition's high watermark has passed it.
   */
  written(): Promise<void>

  /**
   * Applies retention.ms and retention.bytes, drops what lies below log starts, forgets idle producers. Once.
   * Partitions that cannot be read are left out, and told by an AggregateError at the end.
   */
  retain(): Promise<RetentionReport>
  /**
   * Moves the log start; -1 means the high watermark. Never moves it back.
   * @returns the log start afterwards
   * @throws MR_STORAGE_TOPIC_UNKNOWN, MR_STORAGE_OFFSET_OUT_OF_RANGE, MR_STORAGE_SYNC_FAILED, MR_STORAGE_WRITE_FAILED
   */
  deleteRecords(topic: string, index: number, beforeOffset: number): Promise<number>
  /** An id that no producer of this cluster ever had, restarts included. */
  nextProducerId(): Promise<number>
  /** Facts for whoever finds the folder locked, for example the port. */
  announce(facts: Readonly<Record<string, string | number>>): void
  /** Syncs what is written, without waiting for the background. A failure is reported, and fails the partition. */
  sync(): Promise<void>
  /** Writes, syncs, leaves the mark of a clean stop, gives the lock back. A second call does nothing. */
  close(): Promise<void>
}
