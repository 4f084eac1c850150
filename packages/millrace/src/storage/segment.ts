import { failure } from '../errors/index.ts'
import { BatchWalk, lastOffsetOf, type PlacedBatch } from './batch-walk.ts'
import type { FileCache, SharedFile } from './file-cache.ts'
import { reasonOf, writeFile, type FileSystem } from './file-system.ts'
import { OffsetIndex } from './offset-index.ts'
import { TimeIndex } from './time-index.ts'

/** What segments share: the disk and the open files of a store. */
export interface SegmentHome {
  readonly fs: FileSystem
  readonly files: FileCache
  readonly indexIntervalBytes: number
  /** Tells that a segment holds its indexes in memory now; the store drops those of the least used sealed ones. */
  readonly indexed: (segment: Segment) => void
}

interface Indexes {
  readonly offsets: OffsetIndex
  readonly times: TimeIndex
  /** Log bytes since the last entry. */
  bytesSinceEntry: number
}

/** File names of Kafka: the base offset in 20 digits. */
export function segmentName(baseOffset: number, suffix: string): string {
  return `${String(baseOffset).padStart(20, '0')}${suffix}`
}

export function unreadable(segment: Segment, error: unknown): Error {
  return failure(
    'MR_STORAGE_READ_FAILED',
    { path: segment.logPath, reason: reasonOf(error) },
    { cause: error },
  )
}

/**
 * One log file with its two indexes. `size` counts what is written; whole batches only. The newest segment of a
 * partition is active and grows; the others are sealed, and load their indexes when somebody looks something up.
 */
export class Segment {
  readonly baseOffset: number
  readonly folder: string
  size = 0
  /** One past the last written offset; the base when empty. */
  nextOffset: number
  /** When its first batch was written, by the clock of this process; undefined in one found on disk. */
  startedAtMs: number | undefined = undefined
  /** Never written again. */
  isSealed = false
  /** Taken out of its partition by retention. */
  isRemoved = false

  readonly #home: SegmentHome
  #indexes: Indexes | undefined
  #maxTimestamp = -1
  #maxTimestampOffset = 0
  #isSummarised = false
  #expectedMaxTimestamp: number | undefined = undefined

  private constructor(home: SegmentHome, folder: string, baseOffset: number) {
    this.#home = home
    this.folder = folder
    this.baseOffset = baseOffset
    this.nextOffset = baseOffset
  }

  /** A segment with nothing in it, whose file need not be there yet. */
  static empty(home: SegmentHome, folder: string, baseOffset: number): Segment {
    const segment = new Segment(home, folder, baseOffset)
    segment.#indexes = { offsets: new OffsetIndex(), times: new TimeIndex(), bytesSinceEntry: 0 }
    segment.#isSummarised = true
    return segment
  }

  /**
   * A segment whose size and end are known to be right. Its indexes are read on demand, and believed only when
   * they agree with `maxTimestamp`, where that is known.
   */
  static trusted(
    home: SegmentHome,
    folder: string,
    baseOffset: number,
    facts: {
      readonly size: number
      readonly nextOffset: number
      readonly maxTimestamp?: number | undefined
    },
  ): Segment {
    const segment = new Segment(home, folder, baseOffset)
    segment.size = facts.size
    segment.nextOffset = facts.nextOffset
    segment.#expectedMaxTimestamp = facts.maxTimestamp
    return segment
  }

  get logPath(): string {
    return this.path('.log')
  }

  path(suffix: string): string {
    return `${this.folder}/${segmentName(this.baseOffset, suffix)}`
  }

  /** Greatest timestamp of its batches, -1 when none has one. */
  get maxTimestamp(): number {
    if (!this.#isSummarised && this.#expectedMaxTimestamp !== undefined)
      return this.#expectedMaxTimestamp
    if (!this.#isSummarised) this.#load()
    return this.#maxTimestamp
  }

  /** Last offset of the batch that first reached `maxTimestamp`. */
  get maxTimestampOffset(): number {
    if (!this.#isSummarised) this.#load()
    return this.#maxTimestampOffset
  }

  acquire(): SharedFile {
    return this.#home.files.acquire(this.logPath)
  }

  release(file: SharedFile): void {
    this.#home.files.release(file)
  }

  /** Makes sure that `note` has nothing to read. */
  loadIndexes(): void {
    this.#load()
  }

  /** Takes note of a batch that was written at the end. As Kafka: an entry at the first batch after each interval. */
  note(lastOffset: number, size: number, maxTimestamp: number): void {
    const indexes = this.#load()
    if (maxTimestamp > this.#maxTimestamp) {
      this.#maxTimestamp = maxTimestamp
      this.#maxTimestampOffset = lastOffset
    }
    if (indexes.bytesSinceEntry > this.#home.indexIntervalBytes) {
      indexes.offsets.add(lastOffset - this.baseOffset, this.size)
      if (this.#maxTimestamp >= 0)
        indexes.times.addIfLater(this.#maxTimestamp, this.#maxTimestampOffset - this.baseOffset)
      indexes.bytesSinceEntry = 0
    }
    indexes.bytesSinceEntry += size
    this.size += size
    this.nextOffset = lastOffset + 1
  }

  /** A position at or before the batch that holds an offset. */
  positionNear(offset: number): number {
    return this.#load().offsets.positionOf(Math.max(0, offset - this.baseOffset))
  }

  /** A walk over batches that meets the one with this offset before any later one. */
  walkFrom(file: SharedFile, offset: number): BatchWalk {
    return new BatchWalk(file.file, this.positionNear(offset), this.size)
  }

  /** A walk that meets the first batch whose greatest timestamp reaches a time. */
  walkFromTime(file: SharedFile, timestampMs: number): BatchWalk {
    const indexes = this.#load()
    const position = indexes.offsets.positionOf(indexes.times.offsetBefore(timestampMs))
    return new BatchWalk(file.file, position, this.size)
  }

  /** The nearest known batch start at or before a position. */
  borderBefore(position: number): number {
    return this.#load().offsets.borderBefore(position)
  }

  /** Leaves the indexes on disk. The time index ends with the greatest timestamp of all, as Kafka's does at a roll. */
  writeIndexes(): void {
    const { offsets, times } = this.#load()
    if (this.#maxTimestamp >= 0)
      times.addIfLater(this.#maxTimestamp, this.#maxTimestampOffset - this.baseOffset)
    writeFile(this.#home.fs, this.path('.timeindex'), times.encode())
    writeFile(this.#home.fs, this.path('.index'), offsets.encode())
  }

  /** The last act of an active segment. */
  seal(): void {
    this.writeIndexes()
    this.isSealed = true
    this.#home.indexed(this)
  }

  /** Of a sealed segment: they come back from disk when needed. */
  dropIndexes(): void {
    if (this.isSealed) this.#indexes = undefined
  }

  #load(): Indexes {
    if (this.#indexes) return this.#indexes
    const indexes = this.#readIndexes() ?? this.#rebuildIndexes()
    this.#indexes = indexes
    this.#isSummarised = true
    this.#home.indexed(this)
    return indexes
  }

  /**
   * Indexes are derived and may be missing, torn, full of zeros or simply short: they are
   * believed only when they are in order, and completed by walking the log behind their last entry.
   */
  #readIndexes(): Indexes | undefined {
    const { fs } = this.#home
    const offsetBytes = fs.readFile(this.path('.index'))
    const timeBytes = fs.readFile(this.path('.timeindex'))
    if (!offsetBytes || !timeBytes) return undefined
    const offsets = OffsetIndex.decode(offsetBytes, this.size)
    const times = TimeIndex.decode(timeBytes)
    if (!offsets || !times) return undefined
    const lastTime = times.last
    const end = this.nextOffset - this.baseOffset
    if (offsets.lastOffset() >= end || (lastTime?.relativeOffset ?? 0) > Math.max(0, end - 1))
      return undefined
    this.#maxTimestamp = lastTime?.timestamp ?? -1
    this.#maxTimestampOffset = this.baseOffset + (lastTime?.relativeOffset ?? 0)
    const indexes = { offsets, times, bytesSinceEntry: 0 }
    if (!this.#complete(indexes, offsets.lastPosition())) return undefined
    const expected = this.#isSummarised ? undefined : this.#expectedMaxTimestamp
    return expected === undefined || expected === this.#maxTimestamp ? indexes : undefined
  }

  #rebuildIndexes(): Indexes {
    this.#maxTimestamp = -1
    this.#maxTimestampOffset = this.baseOffset
    const indexes = { offsets: new OffsetIndex(), times: new TimeIndex(), bytesSinceEntry: 0 }
    this.#complete(indexes, 0)
    return indexes
  }

  /** Walks from a batch that has an entry (or from the start) to the end. False when the walk ends early. */
  #complete(indexes: Indexes, from: number): boolean {
    const file = this.acquire()
    try {
      const walk = new BatchWalk(file.file, from, this.size)
      let position = from
      for (let batch = walk.next(); batch; batch = walk.next()) {
        this.#noteWalked(indexes, batch, batch.position > from)
        position = batch.position + batch.size
      }
      return position === this.size
    } finally {
      this.release(file)
    }
  }

  #noteWalked(indexes: Indexes, batch: PlacedBatch, mayAdd: boolean): void {
    const last = lastOffsetOf(batch.header)
    if (batch.header.maxTimestamp > this.#maxTimestamp) {
      this.#maxTimestamp = batch.header.maxTimestamp
      this.#maxTimestampOffset = last
    }
    if (mayAdd && indexes.bytesSinceEntry > this.#home.indexIntervalBytes) {
      indexes.offsets.add(last - this.baseOffset, batch.position)
      if (this.#maxTimestamp >= 0)
        indexes.times.addIfLater(this.#maxTimestamp, this.#maxTimestampOffset - this.baseOffset)
      indexes.bytesSinceEntry = 0
    }
    indexes.bytesSinceEntry += batch.size
  }
}
