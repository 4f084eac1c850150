import {
  batchHeaderSize,
  hasValidCrc,
  readBatchHeader,
  type BatchHeader,
} from '../protocol/index.ts'
import type { OpenFile } from './file-system.ts'

/** Length and offset, which precede what a batch's length field counts. */
const overhead = 12
const walkChunkBytes = 4096
const checkChunkBytes = 1_048_576

export interface PlacedBatch {
  readonly header: BatchHeader
  readonly position: number
  /** Whole size in bytes. */
  readonly size: number
}

export function lastOffsetOf(header: BatchHeader): number {
  return header.baseOffset + header.lastOffsetDelta
}

/**
 * Hops over the batches of a file by their headers alone. Reads 4 KiB at a time: that covers many small batches,
 * and wastes little on large ones. Two ways to step, so that cold files are read in the thread pool.
 */
export class BatchWalk {
  readonly #file: OpenFile
  readonly #end: number
  readonly #chunk = Buffer.allocUnsafe(walkChunkBytes)
  #chunkStart = 0
  #chunkLength = 0
  #position: number

  /** @param end - whole batches stand before it */
  constructor(file: OpenFile, start: number, end: number) {
    this.#file = file
    this.#position = start
    this.#end = end
  }

  /** The next batch, or undefined at the end, or where the bytes are no batch. */
  next(): PlacedBatch | undefined {
    if (!this.#isLoaded()) {
      if (this.#position >= this.#end) return undefined
      this.#chunkStart = this.#position
      this.#chunkLength = this.#file.readNow(this.#target(), this.#position)
    }
    return this.#take()
  }

  async nextAsync(): Promise<PlacedBatch | undefined> {
    if (!this.#isLoaded()) {
      if (this.#position >= this.#end) return undefined
      this.#chunkStart = this.#position
      this.#chunkLength = await this.#file.read(this.#target(), this.#position)
    }
    return this.#take()
  }

  #target(): Buffer {
    return this.#chunk.subarray(0, Math.min(walkChunkBytes, this.#end - this.#position))
  }

  #isLoaded(): boolean {
    return (
      this.#position >= this.#chunkStart &&
      this.#position + batchHeaderSize <= this.#chunkStart + this.#chunkLength
    )
  }

  #take(): PlacedBatch | undefined {
    if (!this.#isLoaded()) return undefined
    const header = readBatchHeader(this.#chunk, this.#position - this.#chunkStart)
    const size = header.batchLength + overhead
    if (size < batchHeaderSize || this.#position + size > this.#end) return undefined
    const batch = { header, position: this.#position, size }
    this.#position += size
    return batch
  }
}

export interface CheckedFile {
  /** Bytes of whole, valid batches. */
  readonly size: number
  readonly nextOffset: number
  /** Why it ends before the file does. */
  readonly fault: string | undefined
}

/**
 * Reads a whole file and says where the good batches end: length, magic, checksum and rising offsets are checked.
 * What follows the first bad byte is never believed, even when it looks like a batch.
 */
export async function checkFile(
  file: OpenFile,
  fromOffset: number,
  onBatch: (batch: PlacedBatch) => void,
): Promise<CheckedFile> {
  const fileSize = file.size()
  let chunk = Buffer.allocUnsafe(Math.min(checkChunkBytes, fileSize))
  let chunkStart = 0
  let chunkLength = 0
  let position = 0
  let nextOffset = fromOffset
  const ends = (fault?: string): CheckedFile => ({ size: position, nextOffset, fault })
  const have = (): number => chunkStart + chunkLength - position
  const load = async (bytes: number): Promise<void> => {
    if (bytes > chunk.length) chunk = Buffer.allocUnsafe(bytes)
    const target = chunk.subarray(0, Math.min(chunk.length, fileSize - position))
    chunkStart = position
    // A small file is in memory before the thread pool has woken up.
    chunkLength =
      target.length > 65_536 ? await file.read(target, position) : file.readNow(target, position)
  }

  while (position < fileSize) {
    if (fileSize - position < batchHeaderSize) return ends('a batch is cut short')
    if (have() < batchHeaderSize) await load(batchHeaderSize)
    const header = readBatchHeader(chunk, position - chunkStart)
    const size = header.batchLength + overhead
    if (header.batchLength === 0 && header.baseOffset === 0 && header.magic === 0)
      return ends('the rest is zeros or no batch')
    if (size < batchHeaderSize) return ends('a batch has an impossible length')
    if (position + size > fileSize) return ends('a batch is cut short')
    if (header.magic !== 2) return ends(`a batch has magic ${header.magic}`)
    if (have() < size) await load(size)
    if (!hasValidCrc(chunk, position - chunkStart, size)) return ends('a checksum does not match')
    if (header.baseOffset < nextOffset || header.lastOffsetDelta < 0)
      return ends('offsets do not rise')
    onBatch({ header, position, size })
    nextOffset = lastOffsetOf(header) + 1
    position += size
  }
  return ends()
}
