import {
  batchHeaderSize,
  hasValidCrc,
  isControl,
  isLogAppendTime,
  isTransactional,
  controlTypeOf,
  readBatchHeader,
  type RecordCursor,
} from '../../protocol/index.ts'
import type { AbortedFilter } from './aborted-filter.ts'

/** A whole batch on a partition's queue. Its records are cut when they are taken. */
export interface QueuedBatch {
  readonly bytes: Buffer
  readonly count: number
  readonly leaderEpoch: number
  readonly timestampType: 'create' | 'append'
  readonly receivedAt: number
  /** Where reading goes on after it; past batches behind it that hold nothing to deliver. */
  nextOffset: number
  cursor: RecordCursor | undefined
}

export interface ReadAnswer {
  readonly batches: readonly QueuedBatch[]
  /** Where to fetch next: past everything that was read, delivered or not. */
  readonly nextOffset: number
  readonly bytes: number
  /**
   * What ended the reading: the end of the bytes; a batch cut by a byte limit (`needed` bytes would hold it);
   * or bytes that are not a batch.
   */
  readonly stop:
    | { readonly at: 'end' }
    | { readonly at: 'cut'; readonly needed: number }
    | { readonly at: 'fault'; readonly what: string; readonly offset: number }
}

const overhead = 12
const crcEnd = 21

/**
 * Cuts the records of a Fetch answer into whole batches, checks each one's checksum, and leaves out
 * what is not for the reader: batches before `fromOffset`, control batches, aborted ones, empty ones.
 *
 * Apache Kafka cuts at a byte limit, in the middle of a batch: an end, not a fault.
 */
export function readAnswer(
  records: Buffer,
  fromOffset: number,
  filter: AbortedFilter | undefined,
  receivedAt: number,
): ReadAnswer {
  const batches: QueuedBatch[] = []
  let nextOffset = fromOffset
  let bytes = 0
  let position = 0
  const fault = (what: string): ReadAnswer => ({
    batches,
    nextOffset,
    bytes,
    stop: { at: 'fault', what, offset: nextOffset },
  })

  while (position < records.length) {
    const left = records.length - position
    if (left < overhead)
      return { batches, nextOffset, bytes, stop: { at: 'cut', needed: overhead } }
    const size = overhead + records.readInt32BE(position + 8)
    if (left >= crcEnd && records[position + 16] !== 2)
      return fault(`a batch of the unknown format ${records[position + 16]}`)
    if (size < batchHeaderSize) return fault(`a batch claims ${size} bytes`)
    if (size > left) return { batches, nextOffset, bytes, stop: { at: 'cut', needed: size } }
    if (!hasValidCrc(records, position, size)) return fault('a batch has a wrong checksum')

    const batch = records.subarray(position, position + size)
    const header = readBatchHeader(batch)
    position += size
    const lastOffset = header.baseOffset + header.lastOffsetDelta
    if (lastOffset < fromOffset) continue
    if (lastOffset < nextOffset)
      return fault(`a batch ends at ${lastOffset}, behind the one before`)
    nextOffset = lastOffset + 1
    bytes += size
    const previous = batches.at(-1)
    if (isControl(header.attributes)) {
      if (filter && controlTypeOf(batch).type === 'abort') filter.end(header.producerId, lastOffset)
    } else if (
      header.recordsCount !== 0 &&
      filter?.isAborted(header.producerId, lastOffset, isTransactional(header.attributes)) !== true
    ) {
      batches.push({
        bytes: batch,
        count: header.recordsCount,
        leaderEpoch: header.partitionLeaderEpoch,
        timestampType: isLogAppendTime(header.attributes) ? 'append' : 'create',
        receivedAt,
        nextOffset,
        cursor: undefined,
      })
      continue
    }
    if (previous) previous.nextOffset = nextOffset
  }
  if (records.length > 0 && nextOffset === fromOffset)
    return fault('the answer holds nothing at or after the offset that was asked for')
  return { batches, nextOffset, bytes, stop: { at: 'end' } }
}
