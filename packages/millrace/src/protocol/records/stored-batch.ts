import { CodecError } from '../../errors/index.ts'
import { errorCodes } from '../kafka-errors.ts'
import { compress, decompress } from '../compression/index.ts'
import { attributeBits, idOfCompression } from './attributes.ts'
import { withRoomForHeader } from './batch-builder.ts'
import {
  batchHeaderSize,
  readBatchHeader,
  writeBatchHeader,
  type BatchHeader,
} from './batch-header.ts'
import { needsRewrite, type AcceptedBatch, type RefusedBatch } from './check-produced-batch.ts'
import { compressionOf } from './compression-of.ts'
import type { ProduceConfig } from './produce-config.ts'

export interface StoredBatch {
  readonly errorCode: 0
  readonly batch: Buffer
  readonly header: BatchHeader
}

/**
 * The bytes to store for a batch that passed `checkProducedBatch`: almost always the producer's own. What Kafka
 * changes is changed: a wrong maxTimestamp, a client's LogAppendTime bit (both in place), and the codec, when the
 * topic's `compression.type` names another one (a new buffer). Append time is stamped by storage. Refused is what
 * cannot be unfolded for that (87, where nobody has looked at the records yet), and what grows too large by it (10).
 *
 * @param maxInflatedBytes - bound on the inflated body when the codec changes; default 128 MiB
 */
export function storedBatchOf(
  accepted: AcceptedBatch,
  config: ProduceConfig,
  maxInflatedBytes: number = 128 * 1024 * 1024,
): StoredBatch | RefusedBatch {
  const { batch, header } = accepted
  if (!needsRewrite(accepted, config)) return { errorCode: 0, batch, header }

  const from = compressionOf(header.attributes)
  const to = config.compression === 'producer' ? from : config.compression
  let recoded = batch
  if (from !== to) {
    try {
      const records = decompress(from, batch.subarray(batchHeaderSize), maxInflatedBytes)
      recoded = withRoomForHeader(compress(to, records))
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
      return { errorCode: errorCodes.INVALID_RECORD, message: error.message }
    }
    if (recoded.length > config.maxMessageBytes) {
      return {
        errorCode: errorCodes.MESSAGE_TOO_LARGE,
        message: `in ${to} the batch has ${recoded.length} bytes, max.message.bytes is ${config.maxMessageBytes}`,
      }
    }
  }
  writeBatchHeader(recoded, {
    ...header,
    attributes: (header.attributes & ~(0x07 | attributeBits.logAppendTime)) | idOfCompression(to),
    maxTimestamp: accepted.maxTimestamp,
  })
  return { errorCode: 0, batch: recoded, header: readBatchHeader(recoded) }
}
