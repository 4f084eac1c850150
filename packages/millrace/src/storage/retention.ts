import type { LogConfigs } from './topic-configs.ts'

/** What retention looks at in a segment. */
export interface AgedSegment {
  readonly size: number
  readonly nextOffset: number
  readonly maxTimestamp: number
}

export interface RetentionPlan {
  /** Segments to drop from the head of the log. */
  readonly count: number
  /** The active one has expired too: a new one has to begin before. */
  readonly needsRoll: boolean
}

/**
 * How many segments a policy lets go, oldest first. By time: those whose newest record is older than
 * `retention.ms`, as Kafka the active one too. By size: while what stays is still `retention.bytes` or more.
 * A segment without timestamps never expires by time.
 */
export function planRetention(
  segments: readonly AgedSegment[],
  configs: LogConfigs,
  nowMs: number,
): RetentionPlan {
  if (!configs.isDeleting) return { count: 0, needsRoll: false }
  let count = 0
  if (configs.retentionMs >= 0) {
    for (const segment of segments) {
      const isExpired =
        segment.size > 0 &&
        segment.maxTimestamp >= 0 &&
        nowMs - segment.maxTimestamp > configs.retentionMs
      if (!isExpired) break
      count++
    }
  }
  if (configs.retentionBytes >= 0) {
    let left = 0
    for (const segment of segments.slice(count)) left += segment.size
    while (count < segments.length - 1) {
      const size = segments[count]?.size ?? 0
      if (left - size < configs.retentionBytes) break
      left -= size
      count++
    }
  }
  return { count, needsRoll: count === segments.length }
}
