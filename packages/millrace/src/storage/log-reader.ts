import type { BufferPool } from '../kit/index.ts'
import { batchSizeAt } from '../protocol/index.ts'
import { BatchWalk, lastOffsetOf, type PlacedBatch } from './batch-walk.ts'
import type { SharedFile } from './file-cache.ts'
import { unreadable, type Segment } from './segment.ts'

/** Further behind the end than this, a read goes through the thread pool: it may have to wait for the disk. */
const warmBytes = 1_048_576
const rememberedPlaces = 8
const nothing = Buffer.alloc(0)

/** Where a reader will most likely go on. */
interface Place {
  readonly segment: Segment
  readonly offset: number
  readonly position: number
}

interface Range {
  readonly start: number
  readonly length: number
  /** Position in the file from which to look for the last border; before it all is wanted. */
  readonly border: number
}

/**
 * Reads whole batches out of the segments of a partition. Where a read ended is remembered, so that a consumer
 * which follows its batches costs no look-up.
 */
export class LogReader {
  readonly #segments: readonly Segment[]
  readonly #pool: BufferPool
  readonly #places: (Place | undefined)[] = Array.from({ length: rememberedPlaces })
  #nextPlace = 0

  constructor(segments: readonly Segment[], pool: BufferPool) {
    this.#segments = segments
    this.#pool = pool
  }

  read(offset: number, upTo: number, maxBytes: number, minOne: boolean): Buffer | Promise<Buffer> {
    if (offset >= upTo || offset < 0) return nothing
    const at = segmentOf(this.#segments, offset)
    const segment = this.#segments[at]
    if (!segment || segment.size === 0) return nothing
    try {
      const isWarm = this.#isWarm(at, segment, offset)
      return isWarm
        ? this.#readNow(segment, offset, upTo, maxBytes, minOne)
        : this.#readLater(segment, offset, upTo, maxBytes, minOne)
    } catch (error) {
      throw unreadable(segment, error)
    }
  }

  #isWarm(at: number, segment: Segment, offset: number): boolean {
    let behind = 0
    for (let later = this.#segments.length - 1; later > at && behind <= warmBytes; later--)
      behind += this.#segments[later]?.size ?? 0
    if (behind > warmBytes) return false
    if (behind + segment.size <= warmBytes) return true
    const position = this.#placeOf(segment, offset) ?? segment.positionNear(offset)
    return behind + segment.size - position <= warmBytes
  }

  #readNow(
    segment: Segment,
    offset: number,
    upTo: number,
    maxBytes: number,
    minOne: boolean,
  ): Buffer {
    const file = segment.acquire()
    try {
      let start = this.#placeOf(segment, offset)
      let first: PlacedBatch | undefined
      if (start === undefined) {
        first = find(segment, file, offset)
        if (!first) return nothing
        start = first.position
      }
      if (needsCut(segment, start, upTo, maxBytes) && !first)
        first = new BatchWalk(file.file, start, segment.size).next()
      const range = plan(segment, start, first, upTo, maxBytes, minOne)
      if (!range) return nothing
      const bytes = this.#pool.take(range.length).subarray(0, range.length)
      checkRead(file.file.readNow(bytes, start), range)
      return this.#finish(segment, bytes, range, upTo)
    } finally {
      segment.release(file)
    }
  }

  /** The same through the thread pool. The file stays open meanwhile, whatever becomes of the segment. */
  async #readLater(
    segment: Segment,
    offset: number,
    upTo: number,
    maxBytes: number,
    minOne: boolean,
  ): Promise<Buffer> {
    const file = segment.acquire()
    try {
      let start = this.#placeOf(segment, offset)
      let first: PlacedBatch | undefined
      if (start === undefined) {
        first = await findLater(segment, file, offset)
        if (!first) return nothing
        start = first.position
      }
      if (needsCut(segment, start, upTo, maxBytes) && !first)
        first = await new BatchWalk(file.file, start, segment.size).nextAsync()
      const range = plan(segment, start, first, upTo, maxBytes, minOne)
      if (!range) return nothing
      const bytes = this.#pool.take(range.length).subarray(0, range.length)
      checkRead(await file.file.read(bytes, start), range)
      return this.#finish(segment, bytes, range, upTo)
    } catch (error) {
      throw unreadable(segment, error)
    } finally {
      segment.release(file)
    }
  }

  /** Cuts behind the last whole batch that is wanted. */
  #finish(segment: Segment, bytes: Buffer, range: Range, upTo: number): Buffer {
    let end = range.border - range.start
    let next = -1
    for (;;) {
      const size = batchSizeAt(bytes, end)
      if (size === undefined) break
      const base = offsetAt(bytes, end)
      if (base >= upTo) break
      next = base + bytes.readInt32BE(end + 23) + 1
      end += size
    }
    if (next < 0) next = range.start + end === segment.size ? segment.nextOffset : -1
    if (next >= 0) this.#remember({ segment, offset: next, position: range.start + end })
    if (end === bytes.length) return bytes
    // A slice pins what it was cut from, and answers may wait long in a socket.
    if (bytes.length - end <= 4096 + end / 4) return bytes.subarray(0, end)
    const copy = exactCopy(bytes, end)
    this.#pool.give(bytes)
    return copy
  }

  #placeOf(segment: Segment, offset: number): number | undefined {
    for (const place of this.#places) {
      if (place?.offset === offset && place.segment === segment && place.position < segment.size)
        return place.position
    }
    return undefined
  }

  #remember(place: Place): void {
    this.#places[this.#nextPlace] = place
    this.#nextPlace = (this.#nextPlace + 1) % rememberedPlaces
  }
}

/** Index of the segment that holds an offset, or of the first one behind it. */
export function segmentOf(segments: readonly Segment[], offset: number): number {
  let low = 0
  let high = segments.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((segments[middle] as Segment).baseOffset <= offset) low = middle + 1
    else high = middle
  }
  const at = Math.max(0, low - 1)
  const segment = segments[at]
  return segment && offset >= segment.nextOffset && at + 1 < segments.length ? at + 1 : at
}

function find(segment: Segment, file: SharedFile, offset: number): PlacedBatch | undefined {
  const walk = segment.walkFrom(file, offset)
  let batch = walk.next()
  while (batch && lastOffsetOf(batch.header) < offset) batch = walk.next()
  return batch
}

async function findLater(
  segment: Segment,
  file: SharedFile,
  offset: number,
): Promise<PlacedBatch | undefined> {
  const walk = segment.walkFrom(file, offset)
  let batch = await walk.nextAsync()
  while (batch && lastOffsetOf(batch.header) < offset) batch = await walk.nextAsync()
  return batch
}

function needsCut(segment: Segment, start: number, upTo: number, maxBytes: number): boolean {
  return segment.size - start > maxBytes || upTo < segment.nextOffset
}

function plan(
  segment: Segment,
  start: number,
  first: PlacedBatch | undefined,
  upTo: number,
  maxBytes: number,
  minOne: boolean,
): Range | undefined {
  const available = segment.size - start
  if (!needsCut(segment, start, upTo, maxBytes))
    return { start, length: available, border: segment.size }
  if (!first) throw new Error(`there is no batch at ${start}`)
  if (first.header.baseOffset >= upTo) return undefined
  let length = Math.min(maxBytes, available)
  if (length < first.size) {
    if (!minOne) return undefined
    length = first.size
  }
  // Below a bound that lies in the middle, every batch has to be looked at; a cut by size needs the last few alone.
  const border =
    upTo < segment.nextOffset ? start : Math.max(start, segment.borderBefore(start + length))
  return { start, length, border }
}

function checkRead(got: number, range: Range): void {
  if (got < range.length)
    throw new Error(`it ends at ${range.start + got}, in the middle of what was written`)
}

function offsetAt(bytes: Buffer, position: number): number {
  return bytes.readInt32BE(position) * 0x100000000 + bytes.readUInt32BE(position + 4)
}

/** Not out of the shared pool of small buffers, or one slice would pin all its neighbours. */
function exactCopy(bytes: Buffer, end: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(end)
  bytes.copy(copy, 0, 0, end)
  return copy
}
