/** What the tests of this folder share. */
import { manualClock } from '../kit/index.ts'
import {
  decodeRecords,
  encodeBatch,
  readBatchHeader,
  splitBatches,
  type BatchFields,
} from '../protocol/index.ts'
import {
  memoryFileSystem,
  openLogStore,
  type AppendResult,
  type LogStore,
  type LogStoreOptions,
  type PartitionLog,
} from './index.ts'

export const startMs = 1_700_000_000_000
export const anything = { maxBytes: 1_000_000, minOneBatch: true } as const

export function openMemory(options: Partial<LogStoreOptions> = {}): Promise<LogStore> {
  return openLogStore({
    folder: '/data',
    fs: memoryFileSystem(),
    clock: manualClock(startMs),
    ...options,
  })
}

/** A topic of one partition: its log. */
export async function makeLog(
  store: LogStore,
  name: string,
  configs: Record<string, string> = {},
): Promise<PartitionLog> {
  await store.createTopic({ name, partitions: 1, configs })
  return logOf(store, name)
}

export function logOf(store: LogStore, name: string, index = 0): PartitionLog {
  const log = store.partition(name, index)
  if (!log) throw new Error(`there is no ${name}/${index}`)
  return log
}

export interface TimedText {
  readonly text: string
  readonly timestamp: number
}

/** A batch of records; texts alone get `startMs`. */
export function batchOf(
  records: readonly (string | TimedText)[],
  fields: BatchFields = {},
): Buffer {
  return encodeBatch(
    { producerId: -1, producerEpoch: -1, baseSequence: -1, ...fields },
    records.map((record, offset) => ({
      key: null,
      value: typeof record === 'string' ? record : record.text,
      timestamp: typeof record === 'string' ? startMs : record.timestamp,
      offset,
    })),
  )
}

/** A batch of an idempotent producer. */
export function sequenced(
  records: readonly string[],
  baseSequence: number,
  { producerId = 7, producerEpoch = 0 } = {},
): Buffer {
  return batchOf(records, { producerId, producerEpoch, baseSequence })
}

export function append(log: PartitionLog, bytes: Buffer): AppendResult {
  return log.append(bytes, readBatchHeader(bytes))
}

export function appended(baseOffset: number): AppendResult {
  return { kind: 'appended', baseOffset, logAppendTimeMs: -1 }
}

/** Records of whole batches as `offset:text`. */
export function textsOf(bytes: Buffer): string[] {
  return splitBatches(bytes).flatMap((batch) =>
    decodeRecords(batch).map(({ offset, value }) => `${offset}:${value?.toString() ?? ''}`),
  )
}

/** Everything from an offset on, over as many reads as it takes. */
export async function readAll(log: PartitionLog, from = log.logStartOffset): Promise<string[]> {
  const texts: string[] = []
  for (let offset = from; offset < log.highWatermark;) {
    const bytes = await log.read(offset, anything)
    const batches = splitBatches(bytes)
    const last = batches.at(-1)
    if (!last) throw new Error(`a read at ${offset} gave nothing`)
    texts.push(...textsOf(bytes))
    const header = readBatchHeader(last)
    offset = header.baseOffset + header.lastOffsetDelta + 1
  }
  return texts
}
