import { failure } from '../../errors/index.ts'
import { crc32c } from './crc32c.ts'
import { readInt64, writeInt64 } from './numbers.ts'

/**
 * The header of a record batch, magic 2 (KIP-98). All numbers are big-endian.
 *
 *      0 baseOffset i64            |  23 lastOffsetDelta i32
 *      8 batchLength i32           |  27 baseTimestamp i64
 *     12 partitionLeaderEpoch i32  |  35 maxTimestamp i64
 *     16 magic i8                  |  43 producerId i64
 *     17 crc u32                   |  51 producerEpoch i16
 *     21 attributes i16            |  53 baseSequence i32
 *                                  |  57 recordsCount i32, then the records at 61
 *
 * `batchLength` counts what follows it: the whole batch is 12 bytes more. The checksum covers 21 to the end,
 * so that a broker places a batch (offset, leader epoch) without touching it.
 */
export interface BatchHeader {
  readonly baseOffset: number
  readonly batchLength: number
  readonly partitionLeaderEpoch: number
  readonly magic: number
  /** Unsigned. */
  readonly crc: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  /** Epoch milliseconds; the delete horizon when that attribute is set (KIP-534). */
  readonly baseTimestamp: number
  readonly maxTimestamp: number
  /** -1: none. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordsCount: number
}

export const batchHeaderSize = 61

/** Offset and length, which precede what `batchLength` counts. */
export const batchOverhead = 12
export const crcStart = 21

const lastSizeKafkaCanAddress = 0x7fffffff

/**
 * The whole size of the batch at `position`, or undefined when it is cut, or its length cannot be that of a batch.
 * Walk a file or an answer with it; `splitBatches` tells the two cases apart.
 */
export function batchSizeAt(buffer: Buffer, position: number): number | undefined {
  if (buffer.length - position < batchOverhead) return undefined
  const size = buffer.readInt32BE(position + 8) + batchOverhead
  return size < batchHeaderSize || size > buffer.length - position ? undefined : size
}

/** Reads the 61 bytes at `position`. Trusts nothing and checks nothing: a caller judges the fields. */
export function readBatchHeader(buffer: Buffer, position = 0): BatchHeader {
  if (buffer.length - position < batchHeaderSize) {
    throw failure('MR_PROTOCOL_BATCH_MALFORMED', {
      what: `its header is cut at ${buffer.length - position} of ${batchHeaderSize} bytes`,
      offset: position,
    })
  }
  return {
    baseOffset: readInt64(buffer, position),
    batchLength: buffer.readInt32BE(position + 8),
    partitionLeaderEpoch: buffer.readInt32BE(position + 12),
    magic: buffer.readInt8(position + 16),
    crc: buffer.readUInt32BE(position + 17),
    attributes: buffer.readInt16BE(position + 21),
    lastOffsetDelta: buffer.readInt32BE(position + 23),
    baseTimestamp: readInt64(buffer, position + 27),
    maxTimestamp: readInt64(buffer, position + 35),
    producerId: readInt64(buffer, position + 43),
    producerEpoch: buffer.readInt16BE(position + 51),
    baseSequence: buffer.readInt32BE(position + 53),
    recordsCount: buffer.readInt32BE(position + 57),
  }
}

/** Writes the header of a batch of `size` bytes whose records already stand at 61, checksum included. */
export function writeBatchHeader(
  batch: Buffer,
  fields: Omit<BatchHeader, 'batchLength' | 'magic' | 'crc'>,
): void {
  writeInt64(batch, 0, fields.baseOffset)
  batch.writeInt32BE(batch.length - batchOverhead, 8)
  batch.writeInt32BE(fields.partitionLeaderEpoch, 12)
  batch.writeInt8(2, 16)
  batch.writeInt16BE(fields.attributes, 21)
  batch.writeInt32BE(fields.lastOffsetDelta, 23)
  writeInt64(batch, 27, fields.baseTimestamp)
  writeInt64(batch, 35, fields.maxTimestamp)
  writeInt64(batch, 43, fields.producerId)
  batch.writeInt16BE(fields.producerEpoch, 51)
  batch.writeInt32BE(fields.baseSequence, 53)
  batch.writeInt32BE(fields.recordsCount, 57)
  sealCrc(batch, 0, batch.length)
}

/** @param size - of the whole batch, as `batchSizeAt` gives it */
export function hasValidCrc(buffer: Buffer, position: number, size: number): boolean {
  if (size < batchHeaderSize || buffer.length - position < size) return false
  return (
    crc32c(buffer.subarray(position + crcStart, position + size)) ===
    buffer.readUInt32BE(position + 17)
  )
}

/** Gives a batch its place in the log: the bytes outside the checksum. */
export function placeBatch(
  buffer: Buffer,
  position: number,
  baseOffset: number,
  leaderEpoch: number,
): void {
  writeInt64(buffer, position, baseOffset)
  buffer.writeInt32BE(leaderEpoch, position + 12)
}

/**
 * Makes every record of the batch carry `timeMs` (`message.timestamp.type=LogAppendTime`): the one case besides
 * repairs where a broker changes bytes under the checksum, which is computed anew.
 */
export function stampLogAppendTime(buffer: Buffer, position: number, timeMs: number): void {
  buffer.writeInt16BE(buffer.readInt16BE(position + 21) | 0x08, position + 21)
  writeInt64(buffer, position + 35, timeMs)
  sealCrc(buffer, position, buffer.readInt32BE(position + 8) + batchOverhead)
}

/** Gives a closed batch another identity and sequence, as a producer does after its epoch was bumped (KIP-360). */
export function stampProducer(
  batch: Buffer,
  identity: {
    readonly producerId: number
    readonly producerEpoch: number
    readonly baseSequence: number
  },
): void {
  writeInt64(batch, 43, identity.producerId)
  batch.writeInt16BE(identity.producerEpoch, 51)
  batch.writeInt32BE(identity.baseSequence, 53)
  sealCrc(batch, 0, batch.readInt32BE(8) + batchOverhead)
}

/** Computes the checksum anew over a batch whose bytes were changed. */
export function sealCrc(buffer: Buffer, position: number, size: number): void {
  buffer.writeUInt32BE(crc32c(buffer.subarray(position + crcStart, position + size)), position + 17)
}

/**
 * The whole batches of a Fetch answer, as slices. A last batch that is cut is left out, as brokers may cut there.
 * @throws MR_PROTOCOL_BATCH_MALFORMED at a length or magic that no batch has
 */
export function splitBatches(records: Buffer): readonly Buffer[] {
  const batches: Buffer[] = []
  let position = 0
  // Magic at 16 is the last byte needed to judge a batch; with fewer bytes it is simply cut.
  while (records.length - position > 16) {
    const length = records.readInt32BE(position + 8)
    const magic = records.readInt8(position + 16)
    if (
      length < batchHeaderSize - batchOverhead ||
      length > lastSizeKafkaCanAddress - batchOverhead
    ) {
      throw failure('MR_PROTOCOL_BATCH_MALFORMED', {
        what: `it claims a length of ${length}`,
        offset: position,
      })
    }
    if (magic !== 2) {
      throw failure('MR_PROTOCOL_BATCH_MALFORMED', {
        what: `its format is magic ${magic}, only 2 is known`,
        offset: position,
      })
    }
    const size = length + batchOverhead
    if (size > records.length - position) break
    batches.push(records.subarray(position, position + size))
    position += size
  }
  return batches
}
