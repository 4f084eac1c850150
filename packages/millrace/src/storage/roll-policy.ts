import type { Segment } from './segment.ts'
import type { LogConfigs } from './topic-configs.ts'

/** What rolling looks at in a queued batch. */
export interface SizedBatch {
  readonly bytes: Buffer
  readonly lastOffset: number
}

const largestRelativeOffset = 0x7fffffff

/** Whether a batch has to go into a new segment: by size, by offset, by age. The first goes in whatever its size. */
export function mustRoll(
  active: Segment,
  batch: SizedBatch,
  { segmentBytes, segmentMs }: LogConfigs,
  nowMs: number,
): boolean {
  if (active.size === 0) return false
  return (
    !fits(active, active.size + batch.bytes.length, batch, segmentBytes) ||
    nowMs - startOf(active, nowMs) >= segmentMs
  )
}

/** Up to where a queue goes into the active segment, beginning with a batch that need not roll. */
export function fittingUntil(
  active: Segment,
  queue: readonly SizedBatch[],
  from: number,
  { segmentBytes }: LogConfigs,
): number {
  let size = active.size + (queue[from] as SizedBatch).bytes.length
  let until = from + 1
  while (until < queue.length) {
    const batch = queue[until] as SizedBatch
    size += batch.bytes.length
    if (!fits(active, size, batch, segmentBytes)) break
    until++
  }
  return until
}

function fits(active: Segment, size: number, batch: SizedBatch, segmentBytes: number): boolean {
  return size <= segmentBytes && batch.lastOffset - active.baseOffset <= largestRelativeOffset
}

/** When a segment began, for rolling by age: one found on disk counts from the time in its first batch. */
function startOf(segment: Segment, nowMs: number): number {
  if (segment.startedAtMs === undefined) {
    const file = segment.acquire()
    try {
      const first = segment.walkFrom(file, segment.baseOffset).next()
      const timestamp = first?.header.maxTimestamp ?? -1
      segment.startedAtMs = timestamp < 0 ? nowMs : Math.min(nowMs, timestamp)
    } finally {
      segment.release(file)
    }
  }
  return segment.startedAtMs
}
