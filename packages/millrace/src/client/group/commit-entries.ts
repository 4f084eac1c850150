import type { Clock } from '../../kit/index.ts'
import { failure } from '../../errors/index.ts'
import { PartitionFeed } from '../fetcher/index.ts'
import type { CommitOutcome } from './commit-queue.ts'
import type { Committer } from './committer.ts'
import type { OwnedPartition } from './owned-partition.ts'

export interface CommitEntry {
  readonly partition: OwnedPartition
  /** Of the next message to read: one past the last finished. */
  readonly offset: number
  /** Up to 4 096 bytes by default; comes back in `committed`. */
  readonly metadata?: string
}

/**
 * Commits what a user hands in, within a time.
 * @throws what `notOwned` makes, for partitions of somebody else; MR_CLIENT_TIMEOUT (outcome unknown), MR_KAFKA_ERROR
 */
export async function commitEntries(
  committer: Committer,
  entries: readonly CommitEntry[],
  within: {
    readonly clock: Clock
    readonly timeoutMs: number
    /** For the error: `commit of group shop_mail`. */
    readonly what: string
    /** Why it may have taken so long, asked when it has. */
    readonly reason: () => string
    readonly notOwned: () => Error
  },
): Promise<readonly CommitOutcome[]> {
  const positions = entries.map(({ partition, offset, metadata }) => {
    if (!(partition instanceof PartitionFeed)) throw within.notOwned()
    const leaderEpoch = offset === partition.position ? partition.positionEpoch : -1
    return { tenure: partition, offset, leaderEpoch, metadata: metadata ?? '' }
  })
  if (positions.length === 0) return []
  const { what, timeoutMs } = within
  const late = new AbortController()
  const timer = within.clock.after(
    timeoutMs,
    () => late.abort(failure('MR_CLIENT_TIMEOUT', { what, timeoutMs, reason: within.reason() })),
    { unref: true },
  )
  try {
    return await committer.add(positions, late.signal)
  } finally {
    timer.cancel()
  }
}
