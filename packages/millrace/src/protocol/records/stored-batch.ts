import { compress, decompress } from '../compression/index.ts'
import { attributeBits, idOfCompression } from './attributes.ts'
import { withRoomForHeader } from './batch-builder.ts'
import {
  batchHeaderSize,
  readBatchHeader,
  writeBatchHeader,
  type BatchHeader,
} from './batch-header.ts'
import { needsRewrite, type AcceptedBatch } from './check-produced-batch.ts'
import { compressionOf } from './compression-of.ts'
import type { ProduceConfig } from './produce-config.ts'

export interface StoredBatch {
  readonly batch: Buffer
  readonly header: BatchHeader
}

/**
 * The bytes to store for a batch that passed `checkProducedBatch`: almost always the producer's own. What Kafka
 * changes is changed: a wrong maxTimestamp, a client's LogAppendTime bit (both in place), and the codec, when the
 * topic's `compression.type` names another one (a new buffer). Append time is stamped by storage.
 *
 * @param maxInflatedBytes - bound on the inflated body when the codec changes; default 128 MiB
 */
export function storedBatchOf(
  accepted: AcceptedBatch,
  config: ProduceConfig,
  maxInflatedBytes: number = 128 * 1024 * 1024,
): StoredBatch {
  const { batch, header } = accepted
  if (!needsRewrite(accepted, config)) return { batch, header }

  const from = compressionOf(header.attributes)
  const to = config.compression === 'producer' ? from : config.compression
  const recoded =
    from === to
      ? batch
      : withRoomForHeader(
          compress(to, decompress(from, batch.subarray(batchHeaderSize), maxInflatedBytes)),
        )
  writeBatchHeader(recoded, {
    ...header,
    attributes: (header.attributes & ~(0x07 | attributeBits.logAppendTime)) | idOfCompression(to),
    maxTimestamp: accepted.maxTimestamp,
  })
  return { batch: recoded, header: readBatchHeader(recoded) }
}
