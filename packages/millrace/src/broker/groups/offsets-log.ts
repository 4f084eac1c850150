import { failure } from '../../errors/index.ts'
import type { Clock } from '../../kit/index.ts'
import {
  BatchBuilder,
  groupMetadataKey,
  groupMetadataValue,
  isControl,
  offsetCommitKey,
  offsetCommitValue,
  readBatchHeader,
  readStructVersion,
  recordCursor,
  splitBatches,
} from '../../protocol/index.ts'
import type { LogStore, PartitionLog, TopicRecord } from '../../storage/index.ts'
import { offsetsTopic, type Topics } from '../topics/topics.ts'
import type { SavedGroup } from './classic-group.ts'

export interface CommittedOffset {
  readonly offset: number
  /** -1: not known. */
  readonly leaderEpoch: number
  readonly metadata: string
  readonly commitTimestamp: number
  /** From clients before KIP-211 that asked for a retention of their own; -1: the broker's. */
  readonly expireTimestamp: number
}

/** One thing to remember or, with null, to forget. */
export type OffsetsRecord =
  | {
      readonly kind: 'offset'
      readonly group: string
      readonly topic: string
      readonly partition: number
      readonly value: CommittedOffset | null
    }
  | { readonly kind: 'group'; readonly group: string; readonly value: SavedGroup | null }

/** The last value that is not flexible: every tool that reads this topic knows it. */
const valueVersion = 3
const readBytes = 1024 * 1024

/**
 * `__consumer_offsets`, in Kafka's record formats, with one partition. It is made when it is first written.
 * A record of a kind that is not known here (newer groups, share groups) is passed over.
 */
export class OffsetsLog {
  readonly #store: LogStore
  readonly #topics: Topics
  readonly #clock: Clock
  #log: PartitionLog | undefined
  #appended = 0

  constructor(options: {
    readonly store: LogStore
    readonly topics: Topics
    readonly clock: Clock
  }) {
    this.#store = options.store
    this.#topics = options.topics
    this.#clock = options.clock
  }

  /** Records written or read since the last rewrite. */
  get length(): number {
    return this.#appended
  }

  ensureTopic(): Promise<TopicRecord> {
    return this.#topics.ensure(offsetsTopic, {
      partitions: 1,
      configs: { 'cleanup.policy': 'compact' },
    })
  }

  /**
   * Resolves once all of it is written; appends keep the order of the calls.
   * @throws MR_STORAGE_DISK_FULL, MR_STORAGE_WRITE_FAILED
   */
  async append(records: readonly OffsetsRecord[]): Promise<void> {
    if (records.length === 0) return
    const log = this.#log === undefined || this.#log.isDeleted ? await this.#open() : this.#log
    const endOffset = this.#appendTo(log, records)
    try {
      await this.#store.written()
    } catch (error) {
      // Another partition's failure is not ours.
      if (log.highWatermark < endOffset) throw error
    }
  }

  /**
   * Writes all that is worth keeping anew and drops what is before it: the size of this log follows the number of
   * groups, not that of commits.
   */
  async rewrite(live: readonly OffsetsRecord[]): Promise<void> {
    const log = this.#log
    if (log === undefined || log.isDeleted) return
    const start = log.logEndOffset
    await this.append(live)
    this.#appended = live.length
    await this.#store.deleteRecords(offsetsTopic, 0, start)
  }

  /**
   * Every record from the start, the oldest first.
   * @throws MR_BROKER_GROUPS_UNREADABLE
   */
  async load(visit: (record: OffsetsRecord) => void): Promise<void> {
    const topic = this.#topics.named(offsetsTopic)
    const log = topic === undefined ? undefined : this.#topics.partition(topic, 0)
    if (log === undefined) return
    this.#log = log
    let offset = log.logStartOffset
    while (offset < log.highWatermark) {
      try {
        const bytes = await log.read(offset, { maxBytes: readBytes, minOneBatch: true })
        const batches = splitBatches(bytes)
        if (batches.length === 0) break
        for (const batch of batches) {
          const header = readBatchHeader(batch)
          if (!isControl(header.attributes)) this.#visit(batch, log.logStartOffset, visit)
          offset = header.baseOffset + header.lastOffsetDelta + 1
        }
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        throw failure('MR_BROKER_GROUPS_UNREADABLE', { offset, reason }, { cause: error })
      }
    }
  }

  #visit(batch: Buffer, from: number, visit: (record: OffsetsRecord) => void): void {
    const cursor = recordCursor(batch)
    for (let record = cursor.next(); record !== undefined; record = cursor.next()) {
      if (record.offset < from || record.key === null) continue
      this.#appended++
      const known = decodeRecord(record.key, record.value)
      if (known !== undefined) visit(known)
    }
  }

  #appendTo(log: PartitionLog, records: readonly OffsetsRecord[]): number {
    const builder = new BatchBuilder()
    const timestamp = this.#clock.now()
    for (const record of records)
      builder.append({ key: encodeKey(record), value: encodeValue(record), timestamp })
    const batch = builder.build({
      compression: 'none',
      producerId: -1,
      producerEpoch: -1,
      baseSequence: -1,
    })
    const result = log.append(batch, readBatchHeader(batch))
    if (result.kind !== 'appended') {
      throw failure('MR_STORAGE_WRITE_FAILED', {
        path: `${offsetsTopic}-0`,
        reason: `the log refuses writes (${result.kind === 'refused' ? result.errorCode : result.kind})`,
      })
    }
    this.#appended += records.length
    return result.baseOffset + records.length
  }

  async #open(): Promise<PartitionLog> {
    const topic = await this.ensureTopic()
    const log = this.#topics.partition(topic, 0)
    if (log === undefined) throw failure('MR_STORAGE_TOPIC_UNKNOWN', { topic: `${topic.name}-0` })
    this.#log = log
    return log
  }
}

function encodeKey(record: OffsetsRecord): Buffer {
  const { group } = record
  if (record.kind === 'group') return groupMetadataKey.encode(2, { group })
  return offsetCommitKey.encode(1, { group, topic: record.topic, partition: record.partition })
}

function encodeValue(record: OffsetsRecord): Buffer | null {
  if (record.value === null) return null
  return record.kind === 'group'
    ? groupMetadataValue.encode(valueVersion, record.value)
    : offsetCommitValue.encode(valueVersion, record.value)
}

function decodeRecord(key: Buffer, value: Buffer | null): OffsetsRecord | undefined {
  switch (readStructVersion(key)) {
    case 0:
    case 1: {
      const { group, topic, partition } = offsetCommitKey.decode(key)
      const decoded = value === null ? null : offsetCommitValue.decode(value)
      return { kind: 'offset', group, topic, partition, value: decoded }
    }
    case 2: {
      const { group } = groupMetadataKey.decode(key)
      return { kind: 'group', group, value: value === null ? null : copied(value) }
    }
  }
  return undefined
}

/** What stays in memory must not hold on to the bytes that were read. */
function copied(value: Buffer): SavedGroup {
  return groupMetadataValue.decode(Buffer.from(value))
}
