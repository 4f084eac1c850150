import type { BatchHeader } from '../protocol/index.ts'

/** What a topic sets, by Kafka's names; what is not there has its default. */
export type TopicConfigs = Readonly<Record<string, string>>

export interface TopicRecord {
  readonly name: string
  /** 22 characters of base64url. A topic made again under the same name has another one. */
  readonly id: string
  readonly partitions: number
  readonly configs: TopicConfigs
  /** Kept by the broker for itself (`__consumer_offsets`). */
  readonly isInternal: boolean
}

/** A partition that lost bytes when it was opened after a crash. */
export interface Repair {
  readonly topic: string
  readonly partition: number
  /** How many bytes were cut off. */
  readonly bytes: number
  /** Where the log ends now. */
  readonly offset: number
  readonly cause: string
}

export type AppendResult =
  | {
      readonly kind: 'appended'
      readonly baseOffset: number
      /** -1 unless the topic stamps its records. */
      readonly logAppendTimeMs: number
    }
  /** The same batch is there already: answer with its offset, as if it had just been appended. */
  | { readonly kind: 'duplicate'; readonly baseOffset: number; readonly timestampMs: number }
  /** Kafka's code: 3 gone, 45 out of order, 47 fenced, 56 the disk is full or the partition has failed. */
  | { readonly kind: 'refused'; readonly errorCode: number }

export interface ReadOptions {
  readonly maxBytes: number
  /** The first batch comes whole even above `maxBytes`, or its reader would starve (KIP-74). */
  readonly minOneBatch: boolean
  /** Exclusive; default, and at most, the high watermark. */
  readonly upTo?: number
}

export interface TimedOffset {
  readonly offset: number
  readonly timestampMs: number
  readonly leaderEpoch: number
}

/** One partition's log. It knows batches, not records. */
export interface PartitionLog {
  readonly topic: string
  readonly index: number
  readonly topicId: string
  readonly logStartOffset: number
  /** The next offset to be given; counts what is queued and not yet written. */
  readonly logEndOffset: number
  /** Below it all is written and may be read. An appended batch is safe to acknowledge once this has passed it. */
  readonly highWatermark: number
  /** Equal to the high watermark while there are no transactions. */
  readonly lastStableOffset: number
  readonly leaderEpoch: number
  /** Bytes of the log files. */
  readonly sizeInBytes: number
  /** Bytes written since the store was opened. Only grows: a reader sees in it how much has come. */
  readonly bytesWritten: number
  readonly isDeleted: boolean
  /** A write or sync has failed: appends are refused until the store was opened again. */
  readonly hasFailed: boolean

  /**
   * Queues one whole, checked batch; it is written at the end of this loop turn. Patches offset and leader epoch
   * into the given bytes, which must not change until then. Await `LogStore.written()` before acknowledging.
   */
  append(batch: Buffer, header: BatchHeader): AppendResult

  /**
   * Whole batches from the one that contains `offset`; empty at the end. The caller checks the range.
   * Near the tail it answers at once, further back through the thread pool.
   * @throws MR_STORAGE_READ_FAILED
   */
  read(offset: number, options: ReadOptions): Buffer | Promise<Buffer>

  /** The first record at or after a time, by epoch milliseconds. @throws MR_STORAGE_READ_FAILED */
  offsetForTime(timestampMs: number): Promise<TimedOffset | undefined>
  /** The first record that has the greatest timestamp. @throws MR_STORAGE_READ_FAILED */
  offsetOfMaxTimestamp(): Promise<TimedOffset | undefined>

  /**
   * Calls after the high watermark or the log start moved, or the topic was deleted. Returns how to end it.
   * A listener must not throw.
   */
  onAdvance(listener: () => void): () => void
}
