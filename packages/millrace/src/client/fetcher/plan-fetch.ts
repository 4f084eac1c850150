import type { PartitionFeed } from './partition-feed.ts'

export interface FetchLimits {
  /** Of one answer. */
  readonly maxBytes: number
  /** Of one partition in one answer, and of its queue. */
  readonly perPartitionBytes: number
  /** Of all queues together. */
  readonly bufferedBytes: number
  readonly maxWaitMs: number
  readonly minBytes: number
}

export interface FetchPlan {
  readonly feeds: readonly PartitionFeed[]
  readonly maxBytes: number
  readonly maxWaitMs: number
}

/**
 * From how many queued bytes on a partition is not asked for. An answer may bring as much again, so
 * this is half of its part of all queues: those that stand still never use up what the others need.
 */
export function shareOf(limits: FetchLimits, feeds: number): number {
  const part = Math.floor(limits.bufferedBytes / (2 * Math.max(1, feeds)))
  return Math.max(1, Math.min(limits.perPartitionBytes, part))
}

/** Readable, not asked for already, and with room in its queue. */
export function isWanted(feed: PartitionFeed, share: number, nowMs: number): boolean {
  return (
    feed.isReadable &&
    feed.askedVersion !== feed.version &&
    feed.bufferedBytes < share &&
    feed.retryAtMs <= nowMs
  )
}

/**
 * Which of a broker's wanted partitions to ask for now.
 *
 * One Fetch waits at the broker for all of them. A partition whose queue was drained meanwhile must
 * not wait until that one is answered: where more is known to be in its log, it is asked for on a
 * second connection, without waiting.
 *
 * @param wanted - in the order in which they shall be served
 * @param room - bytes that all queues together may still take
 */
export function planFetch(
  wanted: readonly PartitionFeed[],
  room: number,
  limits: FetchLimits,
  isCatchUp: boolean,
): FetchPlan | undefined {
  // Batches larger than a share can fill the room for good where partitions are paused. Who has
  // nothing queued is asked for all the same, a batch at a time.
  const hasRoom = room > 0
  const feeds = wanted.filter(
    (feed) =>
      (hasRoom || feed.bufferedBytes === 0) && (!isCatchUp || feed.fetchOffset < feed.endOffset),
  )
  if (feeds.length === 0) return undefined
  return {
    feeds,
    maxBytes: hasRoom ? Math.min(limits.maxBytes, room) : 1,
    maxWaitMs: isCatchUp ? 0 : limits.maxWaitMs,
  }
}
