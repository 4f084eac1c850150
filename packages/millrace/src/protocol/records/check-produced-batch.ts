import { CodecError } from '../../errors/index.ts'
import { errorCodes } from '../kafka-errors.ts'
import { isControl, isLogAppendTime, knownCompressionOf } from './attributes.ts'
import {
  batchHeaderSize,
  batchOverhead,
  hasValidCrc,
  readBatchHeader,
  type BatchHeader,
} from './batch-header.ts'
import type { ProduceConfig } from './produce-config.ts'
import { RecordCursor } from './record-cursor.ts'

/**
 * The checks of a leader on what a client produced (Produce v3 and up), in Kafka's order and with Kafka's codes.
 *
 * - Exactly one batch of magic 2; bytes after it that are no whole batch are dropped.
 * - Kafka answers -1 where its own code falls over (broken compression, endless varints); those are 87 here.
 * - Kafka accepts, and repairs in what it stores, a wrong `maxTimestamp` and a client's LogAppendTime bit;
 *   `storedBatchOf` does the same.
 * - Not done here: producer sequences (storage), transactions and acks (broker).
 */
export interface ProduceCheck {
  readonly produceVersion: number
  readonly topicConfig: ProduceConfig
  readonly nowMs: number
  /**
   * `records` (the default) walks every record, compressed ones too, so that no batch is stored which readers
   * would stumble over. `header` trusts what the checksum covers, for clients that are known to be right; records
   * are then walked for compacted topics alone.
   */
  readonly inspect?: 'records' | 'header'
  /** Bound on one inflated body; default 128 MiB. */
  readonly maxInflatedBytes?: number
}

export interface RecordError {
  /** The record's place in its batch, from 0. */
  readonly index: number
  readonly message: string
}

export interface AcceptedBatch {
  readonly errorCode: 0
  /** The one batch, without what stood behind it. */
  readonly batch: Buffer
  readonly header: BatchHeader
  /** The records' own greatest time, which the header may not state. */
  readonly maxTimestamp: number
}

export interface RefusedBatch {
  /** Never 0. */
  readonly errorCode: number
  readonly message: string
  /** Goes out from Produce v8 on (KIP-467). */
  readonly recordErrors?: readonly RecordError[]
}

/** Magic, the last byte that tells what a batch is, stands at 16. */
const bytesToJudge = 17
const smallestKafkaBatch = 14
const largestAddressable = 0x7fffffff

/** One answer never holds more; the rest would say the same. */
const mostRecordErrors = 1000

export function checkProducedBatch(
  records: Buffer | null,
  check: ProduceCheck,
): AcceptedBatch | RefusedBatch {
  const refusal = refuseFraming(records, check.produceVersion)
  if (refusal !== undefined) return refusal
  // refuseFraming has found one whole batch at 0.
  const whole = records as Buffer
  const batch = whole.subarray(0, whole.readInt32BE(8) + batchOverhead)
  const header = readBatchHeader(batch)
  return refuseHeader(batch, header, check.topicConfig) ?? checkRecords(batch, header, check)
}

function refuse(errorCode: number, message: string): RefusedBatch {
  return { errorCode, message }
}

function refuseFraming(records: Buffer | null, produceVersion: number): RefusedBatch | undefined {
  const first = records === null ? 'none' : judgeBatchAt(records, 0)
  if (typeof first === 'object') return first
  if (records === null || first === 'none') {
    return refuse(errorCodes.INVALID_RECORD, 'there is no whole batch for this partition')
  }
  const magic = records[16] as number
  if (magic !== 2) {
    return refuse(errorCodes.INVALID_RECORD, `the batch has magic ${magic}, only 2 is taken`)
  }
  if (first < batchHeaderSize) {
    return refuse(errorCodes.CORRUPT_MESSAGE, `the batch has ${first} bytes, less than its header`)
  }
  if (produceVersion < 7 && knownCompressionOf(records.readInt16BE(21)) === 'zstd') {
    return refuse(
      errorCodes.UNSUPPORTED_COMPRESSION_TYPE,
      `Produce version ${produceVersion} knows no zstd, version 7 does`,
    )
  }
  const second = judgeBatchAt(records, first)
  if (typeof second === 'object') return second
  if (second !== 'none') {
    return refuse(errorCodes.INVALID_RECORD, 'there is more than one batch for this partition')
  }
  return undefined
}

/** The size of the batch at `position`, `none` when the bytes end before it does, or why it can be none. */
function judgeBatchAt(records: Buffer, position: number): number | 'none' | RefusedBatch {
  const left = records.length - position
  if (left < bytesToJudge) return 'none'
  const length = records.readInt32BE(position + 8)
  if (length < smallestKafkaBatch) {
    return refuse(errorCodes.CORRUPT_MESSAGE, `a batch claims a length of ${length}`)
  }
  const magic = records.readInt8(position + 16)
  if (magic < 0 || magic > 2) {
    return refuse(errorCodes.CORRUPT_MESSAGE, `a batch has magic ${magic}`)
  }
  if (length > largestAddressable - batchOverhead) {
    return refuse(errorCodes.INVALID_RECORD, `a batch claims a length of ${length}`)
  }
  return length + batchOverhead > left ? 'none' : length + batchOverhead
}

function refuseHeader(
  batch: Buffer,
  header: BatchHeader,
  config: ProduceConfig,
): RefusedBatch | undefined {
  const invalid = errorCodes.INVALID_RECORD
  if (header.baseOffset !== 0) {
    return refuse(invalid, `the batch has base offset ${header.baseOffset}; brokers give offsets`)
  }
  if (batch.length > config.maxMessageBytes) {
    return refuse(
      errorCodes.MESSAGE_TOO_LARGE,
      `the batch has ${batch.length} bytes, max.message.bytes is ${config.maxMessageBytes}`,
    )
  }
  if (!hasValidCrc(batch, 0, batch.length)) {
    return refuse(errorCodes.CORRUPT_MESSAGE, 'the checksum does not fit the batch')
  }
  const { recordsCount, lastOffsetDelta } = header
  if (recordsCount <= 0) return refuse(invalid, `the batch claims ${recordsCount} records`)
  if (lastOffsetDelta !== recordsCount - 1) {
    return refuse(
      invalid,
      `the batch claims ${recordsCount} records and offsets 0 to ${lastOffsetDelta}`,
    )
  }
  if (isControl(header.attributes)) return refuse(invalid, 'clients may not write control batches')
  if (header.producerId >= 0 && header.baseSequence < 0) {
    return refuse(
      invalid,
      `producer ${header.producerId} gave the sequence number ${header.baseSequence}`,
    )
  }
  if (knownCompressionOf(header.attributes) === undefined) {
    return refuse(invalid, `no compression has the number ${header.attributes & 7}`)
  }
  if (batch.length > config.segmentBytes) {
    return refuse(
      errorCodes.RECORD_LIST_TOO_LARGE,
      `the batch has ${batch.length} bytes, a segment of this topic ${config.segmentBytes}`,
    )
  }
  return undefined
}

function checkRecords(
  batch: Buffer,
  header: BatchHeader,
  check: ProduceCheck,
): AcceptedBatch | RefusedBatch {
  const { topicConfig: config } = check
  const checksTimes = config.timestampType === 'CreateTime'
  const earliestMs = check.nowMs - config.timestampBeforeMaxMs
  const latestMs = check.nowMs + config.timestampAfterMaxMs
  if (check.inspect === 'header' && !config.isCompacted) {
    const { maxTimestamp } = header
    // A client that lies about it is not in this mode's contract; the index is built from it.
    if (
      checksTimes &&
      maxTimestamp !== -1 &&
      (maxTimestamp < earliestMs || maxTimestamp > latestMs)
    ) {
      return refuse(errorCodes.INVALID_TIMESTAMP, timeMessage(maxTimestamp, earliestMs, latestMs))
    }
    return { errorCode: 0, batch, header, maxTimestamp }
  }

  const errors: RecordError[] = []
  let hasTimeError = false
  let maxTimestamp = -1
  try {
    const cursor = new RecordCursor(batch, {
      // The client's own times, whatever it says about append time.
      ignoresAppendTime: true,
      ...(check.maxInflatedBytes === undefined ? {} : { maxInflatedBytes: check.maxInflatedBytes }),
    })
    while (cursor.advance()) {
      const { timestamp } = cursor
      if (timestamp > maxTimestamp) maxTimestamp = timestamp
      if (config.isCompacted && !cursor.hasKey) {
        note(errors, cursor.read - 1, 'a compacted topic takes no record without a key')
      } else if (
        checksTimes &&
        timestamp !== -1 &&
        (timestamp < earliestMs || timestamp > latestMs)
      ) {
        hasTimeError = true
        note(errors, cursor.read - 1, timeMessage(timestamp, earliestMs, latestMs))
      }
    }
  } catch (error) {
    if (!(error instanceof CodecError)) throw error
    return refuse(errorCodes.INVALID_RECORD, error.message)
  }
  if (errors.length > 0) {
    return {
      errorCode: hasTimeError ? errorCodes.INVALID_TIMESTAMP : errorCodes.INVALID_RECORD,
      message: `${errors.length} of ${header.recordsCount} records were refused: ${errors[0]?.message}`,
      recordErrors: errors,
    }
  }
  return { errorCode: 0, batch, header, maxTimestamp }
}

function note(errors: RecordError[], index: number, message: string): void {
  if (errors.length < mostRecordErrors) errors.push({ index, message })
}

function timeMessage(timestamp: number, earliestMs: number, latestMs: number): string {
  const from = Number.isFinite(earliestMs) ? `${earliestMs}` : 'any time'
  return `the time ${timestamp} is not within ${from} to ${latestMs}`
}

/** True when the bytes must change before they are stored; see `storedBatchOf`. */
export function needsRewrite(accepted: AcceptedBatch, config: ProduceConfig): boolean {
  const { header } = accepted
  return (
    header.maxTimestamp !== accepted.maxTimestamp ||
    isLogAppendTime(header.attributes) ||
    (config.compression !== 'producer' &&
      knownCompressionOf(header.attributes) !== config.compression)
  )
}
