import { compress, type Compression } from '../compression/index.ts'
import { attributeBits, idOfCompression } from './attributes.ts'
import { batchHeaderSize, writeBatchHeader } from './batch-header.ts'
import type { NewRecord } from './record.ts'
import { sizeOfBody, writeRecord } from './record-writer.ts'
import { varintSize } from './numbers.ts'

export interface BuildOptions {
  readonly compression: Compression
  /** -1 for a producer that is not idempotent; epoch and sequence are -1 then too. */
  readonly producerId: number
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly transactional?: boolean
  readonly compressionLevel?: number
}

const firstCapacity = 1024

/**
 * Fills one batch record by record. Each is encoded as it comes, so the builder holds bytes and no objects,
 * and its size is known at every moment.
 */
export class BatchBuilder {
  #buffer = Buffer.allocUnsafe(firstCapacity)
  #end = batchHeaderSize
  #count = 0
  #baseTimestamp: number
  #maxTimestamp = -1

  /** @param options.baseTimestamp - default: the first record's */
  constructor(options: { readonly baseTimestamp?: number } = {}) {
    this.#baseTimestamp = options.baseTimestamp ?? Number.NaN
  }

  get count(): number {
    return this.#count
  }

  /** Of the whole batch if it were closed now, uncompressed. */
  get sizeInBytes(): number {
    return this.#end
  }

  get maxTimestamp(): number {
    return this.#maxTimestamp
  }

  /** What `append` of this record would add to `sizeInBytes`. */
  estimate(record: NewRecord): number {
    const base = this.#count === 0 ? record.timestamp : this.#baseTimestamp
    const body = sizeOfBody(record, record.timestamp - base, this.#count)
    return varintSize(body) + body
  }

  append(record: NewRecord): void {
    if (Number.isNaN(this.#baseTimestamp)) this.#baseTimestamp = record.timestamp
    const timestampDelta = record.timestamp - this.#baseTimestamp
    const body = sizeOfBody(record, timestampDelta, this.#count)
    // Five bytes hold any length.
    this.#reserve(body + 5)
    this.#end = writeRecord(this.#buffer, this.#end, record, timestampDelta, this.#count, body)
    this.#count++
    if (record.timestamp > this.#maxTimestamp) this.#maxTimestamp = record.timestamp
  }

  /**
   * Closes the batch: base offset 0, checksum in place. Uncompressed, it is the builder's own memory, so the
   * builder must not be used again.
   */
  build(options: BuildOptions): Buffer {
    const batch = this.#close(options)
    writeBatchHeader(batch, {
      baseOffset: 0,
      partitionLeaderEpoch: -1,
      attributes:
        idOfCompression(options.compression) |
        (options.transactional === true ? attributeBits.transactional : 0),
      lastOffsetDelta: this.#count - 1,
      baseTimestamp: this.#count === 0 ? -1 : this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
      producerId: options.producerId,
      producerEpoch: options.producerEpoch,
      baseSequence: options.baseSequence,
      recordsCount: this.#count,
    })
    return batch
  }

  #close(options: BuildOptions): Buffer {
    if (options.compression === 'none') return this.#buffer.subarray(0, this.#end)
    const body = this.#buffer.subarray(batchHeaderSize, this.#end)
    return withRoomForHeader(compress(options.compression, body, options.compressionLevel))
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2))
    grown.set(this.#buffer.subarray(0, this.#end))
    this.#buffer = grown
  }
}

export function withRoomForHeader(body: Buffer): Buffer {
  const batch = Buffer.allocUnsafe(batchHeaderSize + body.length)
  batch.set(body, batchHeaderSize)
  return batch
}
