import { recordCursor } from '../protocol/index.ts'
import { lastOffsetOf, type PlacedBatch } from './batch-walk.ts'
import type { SharedFile } from './file-cache.ts'
import type { TimedOffset } from './log-types.ts'
import { unreadable, type Segment } from './segment.ts'

/** The first record in [start, end) whose timestamp is `timestampMs` or later. */
export async function findTime(
  segments: readonly Segment[],
  start: number,
  end: number,
  timestampMs: number,
): Promise<TimedOffset | undefined> {
  // Retention may take segments out while this waits.
  for (const segment of segments.slice()) {
    if (segment.isRemoved || segment.nextOffset <= start || segment.maxTimestamp < timestampMs)
      continue
    const found = await look(segment, start, end, timestampMs)
    if (found) return found
  }
  return undefined
}

/** The first record in [start, end) that has the greatest timestamp of all. */
export async function findMaxTimestamp(
  segments: readonly Segment[],
  start: number,
  end: number,
): Promise<TimedOffset | undefined> {
  let greatest = -1
  for (const segment of segments.slice()) {
    if (segment.isRemoved || segment.nextOffset <= start || segment.maxTimestamp <= greatest)
      continue
    // The maximum may stand in what was trimmed off the segment's head.
    const isWhole = segment.baseOffset >= start
    greatest = isWhole ? segment.maxTimestamp : Math.max(greatest, await maxFrom(segment, start))
  }
  // A batch may claim a greater maximum than its records have; nobody says which record is it then.
  return greatest < 0 ? undefined : findTime(segments, start, end, greatest)
}

async function look(
  segment: Segment,
  start: number,
  end: number,
  timestampMs: number,
): Promise<TimedOffset | undefined> {
  const file = acquire(segment)
  if (!file) return undefined
  try {
    const walk = segment.walkFromTime(file, timestampMs)
    for (let batch = await walk.nextAsync(); batch; batch = await walk.nextAsync()) {
      if (batch.header.baseOffset >= end) return undefined
      if (batch.header.maxTimestamp < timestampMs || lastOffsetOf(batch.header) < start) continue
      const found = await lookInBatch(file, batch, start, timestampMs)
      if (found) return found
    }
    return undefined
  } catch (error) {
    throw unreadable(segment, error)
  } finally {
    segment.release(file)
  }
}

async function lookInBatch(
  file: SharedFile,
  batch: PlacedBatch,
  start: number,
  timestampMs: number,
): Promise<TimedOffset | undefined> {
  const bytes = Buffer.allocUnsafeSlow(batch.size)
  await file.file.read(bytes, batch.position)
  const cursor = recordCursor(bytes)
  for (let record = cursor.next(); record; record = cursor.next()) {
    if (record.timestamp >= timestampMs && record.offset >= start)
      return {
        offset: record.offset,
        timestampMs: record.timestamp,
        leaderEpoch: batch.header.partitionLeaderEpoch,
      }
  }
  return undefined
}

async function maxFrom(segment: Segment, start: number): Promise<number> {
  const file = acquire(segment)
  if (!file) return -1
  try {
    let greatest = -1
    const walk = segment.walkFrom(file, start)
    for (let batch = await walk.nextAsync(); batch; batch = await walk.nextAsync()) {
      if (lastOffsetOf(batch.header) < start) continue
      if (batch.header.baseOffset >= start) {
        greatest = Math.max(greatest, batch.header.maxTimestamp)
        continue
      }
      const bytes = Buffer.allocUnsafeSlow(batch.size)
      await file.file.read(bytes, batch.position)
      const cursor = recordCursor(bytes)
      for (let record = cursor.next(); record; record = cursor.next())
        if (record.offset >= start) greatest = Math.max(greatest, record.timestamp)
    }
    return greatest
  } catch (error) {
    throw unreadable(segment, error)
  } finally {
    segment.release(file)
  }
}

/** Undefined when retention has taken the segment since the look-up began. */
function acquire(segment: Segment): SharedFile | undefined {
  return segment.isRemoved ? undefined : segment.acquire()
}
