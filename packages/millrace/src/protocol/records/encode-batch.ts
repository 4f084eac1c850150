import { compress } from '../compression/index.ts'
import { compressionOf } from './compression-of.ts'
import { withRoomForHeader } from './batch-builder.ts'
import { writeBatchHeader, type BatchHeader } from './batch-header.ts'
import type { NewRecord } from './record.ts'
import { sizeOfBody, writeRecord } from './record-writer.ts'

/** Header fields with Kafka's neutral values as defaults. */
export type BatchFields = Partial<
  Omit<BatchHeader, 'batchLength' | 'magic' | 'crc' | 'recordsCount'>
>

/**
 * A batch from its header fields and records, byte for byte as told: for tools, tests and rewriting. A field that
 * is not given follows from the records; nothing is checked, so broken batches can be made too.
 */
export function encodeBatch(
  fields: BatchFields,
  records: readonly (NewRecord & { readonly offset: number })[],
): Buffer {
  const first = records[0]
  const baseOffset = fields.baseOffset ?? first?.offset ?? 0
  const baseTimestamp = fields.baseTimestamp ?? first?.timestamp ?? -1
  const attributes = fields.attributes ?? 0
  let maxTimestamp = -1
  let lastOffset = baseOffset - 1

  const encoded: Buffer[] = []
  for (const record of records) {
    const timestampDelta = record.timestamp - baseTimestamp
    const offsetDelta = record.offset - baseOffset
    const body = sizeOfBody(record, timestampDelta, offsetDelta)
    const bytes = Buffer.allocUnsafe(body + 5)
    const end = writeRecord(bytes, 0, record, timestampDelta, offsetDelta, body)
    encoded.push(bytes.subarray(0, end))
    maxTimestamp = Math.max(maxTimestamp, record.timestamp)
    lastOffset = record.offset
  }

  const plain = Buffer.concat(encoded)
  // Compaction leaves batches without records; their body is empty, not the codec's empty stream.
  const batch = withRoomForHeader(
    records.length === 0 ? plain : compress(compressionOf(attributes), plain),
  )
  writeBatchHeader(batch, {
    baseOffset,
    partitionLeaderEpoch: fields.partitionLeaderEpoch ?? -1,
    attributes,
    lastOffsetDelta: fields.lastOffsetDelta ?? lastOffset - baseOffset,
    baseTimestamp,
    maxTimestamp: fields.maxTimestamp ?? maxTimestamp,
    producerId: fields.producerId ?? -1,
    producerEpoch: fields.producerEpoch ?? -1,
    baseSequence: fields.baseSequence ?? -1,
    recordsCount: records.length,
  })
  return batch
}
