/**
 * `.producers`: the producer state of a partition at an offset, which is the file's name.
 *
 *   0 'MRPS'   4 version u16 = 1   6 reserved u16   8 crc32c u32 of all that follows
 *  12 count u32, then per producer:
 *     id i64, epoch i16, active at i64, first offset of the open transaction i64 (-1), batches u8, then per batch:
 *     first sequence i32, last sequence i32, base offset i64, timestamp i64
 *
 * Kafka's `.snapshot` keeps only the last batch of each producer, so that a restart forgets four; hence an own
 * format under an own name. A torn or foreign file is simply no snapshot: an older one and the log replace it.
 */
import { crc32c } from '../protocol/index.ts'
import { ProducerState, rememberedBatches, type ProducerBatch } from './producer-state.ts'

const magic = 0x4d525053
const version = 1
const headBytes = 16
const producerBytes = 27
const batchBytes = 24

export function encodeProducers(state: ProducerState): Buffer {
  let size = headBytes
  for (const entry of state.entries()) size += producerBytes + entry.batches.length * batchBytes
  const bytes = Buffer.alloc(size)
  bytes.writeUInt32BE(magic, 0)
  bytes.writeUInt16BE(version, 4)
  bytes.writeUInt32BE(state.size, 12)
  let at = headBytes
  for (const entry of state.entries()) {
    bytes.writeBigInt64BE(BigInt(entry.producerId), at)
    bytes.writeInt16BE(entry.epoch, at + 8)
    bytes.writeBigInt64BE(BigInt(Math.floor(entry.activeAtMs)), at + 10)
    bytes.writeBigInt64BE(BigInt(entry.openTransactionOffset), at + 18)
    bytes.writeUInt8(entry.batches.length, at + 26)
    at += producerBytes
    for (const batch of entry.batches) {
      bytes.writeInt32BE(batch.firstSequence, at)
      bytes.writeInt32BE(batch.lastSequence, at + 4)
      bytes.writeBigInt64BE(BigInt(batch.baseOffset), at + 8)
      bytes.writeBigInt64BE(BigInt(batch.timestampMs), at + 16)
      at += batchBytes
    }
  }
  bytes.writeUInt32BE(crc32c(bytes.subarray(12)), 8)
  return bytes
}

export function decodeProducers(bytes: Buffer): ProducerState | undefined {
  if (bytes.length < headBytes || bytes.readUInt32BE(0) !== magic) return undefined
  if (bytes.readUInt16BE(4) !== version) return undefined
  if (crc32c(bytes.subarray(12)) !== bytes.readUInt32BE(8)) return undefined
  const state = new ProducerState()
  const count = bytes.readUInt32BE(12)
  let at = headBytes
  for (let producer = 0; producer < count; producer++) {
    if (at + producerBytes > bytes.length) return undefined
    const length = bytes.readUInt8(at + 26)
    if (length > rememberedBatches || at + producerBytes + length * batchBytes > bytes.length)
      return undefined
    const batches: ProducerBatch[] = []
    const batchesAt = at + producerBytes
    for (let batch = batchesAt; batch < batchesAt + length * batchBytes; batch += batchBytes) {
      batches.push({
        firstSequence: bytes.readInt32BE(batch),
        lastSequence: bytes.readInt32BE(batch + 4),
        baseOffset: Number(bytes.readBigInt64BE(batch + 8)),
        timestampMs: Number(bytes.readBigInt64BE(batch + 16)),
      })
    }
    state.restore({
      producerId: Number(bytes.readBigInt64BE(at)),
      epoch: bytes.readInt16BE(at + 8),
      batches,
      activeAtMs: Number(bytes.readBigInt64BE(at + 10)),
      openTransactionOffset: Number(bytes.readBigInt64BE(at + 18)),
    })
    at = batchesAt + length * batchBytes
  }
  return at === bytes.length ? state : undefined
}
